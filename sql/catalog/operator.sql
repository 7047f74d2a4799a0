-- Every operator that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select o.oid,
       o.oprname,
       o.oprnamespace,
       pg_catalog.pg_get_userbyid(o.oprowner) as owner,
       o.oprkind,
       o.oprleft,
       o.oprright,
       o.oprcode::pg_catalog.regprocedure as function,
       o.oprleft::pg_catalog.regtype as left_type,
       o.oprright::pg_catalog.regtype as right_type,
       cn.nspname as commutator_schema,
       c.oprname as commutator,
       nn.nspname as negator_schema,
       n.oprname as negator,
       o.oprcanmerge,
       o.oprcanhash,
       o.oprrest::pg_catalog.regprocedure as restrict_function,
       o.oprjoin::pg_catalog.regprocedure as join_function
from pg_catalog.pg_operator o
left join pg_catalog.pg_operator c on c.oid = o.oprcom
left join pg_catalog.pg_namespace cn on cn.oid = c.oprnamespace
left join pg_catalog.pg_operator n on n.oid = o.oprnegate
left join pg_catalog.pg_namespace nn on nn.oid = n.oprnamespace
where o.oid > 16383 or o.oprnamespace <> 'pg_catalog'::pg_catalog.regnamespace
