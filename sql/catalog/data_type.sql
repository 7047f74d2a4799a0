-- Every data type, the built-in ones too: other objects are named by their types. A table's row type and the array type of that
-- write nothing and order nothing unless something else is made of them.
with used as materialized (
    select d.refobjid as oid
    from pg_catalog.pg_depend d
    where d.refclassid = 'pg_catalog.pg_type'::pg_catalog.regclass
      and d.deptype <> 'i'
)
select t.oid,
       t.typname,
       t.typnamespace,
       pg_catalog.pg_get_userbyid(t.typowner) as owner,
       t.typacl as acl,
       pg_catalog.acldefault('T', t.typowner) as acl_default,
       pg_catalog.format_type(t.oid, null) as formatted,
       t.typtype,
       t.typisdefined,
       t.typelem,
       t.typrelid,
       c.relkind,
       coalesce(e.typarray = t.oid, false) as is_array
from pg_catalog.pg_type t
left join pg_catalog.pg_type e on e.oid = t.typelem
cross join lateral (
    select coalesce(nullif(t.typrelid, 0), e.typrelid, 0) as oid
) relation
left join pg_catalog.pg_class c on c.oid = relation.oid and c.relkind = 'c'
where t.typtype in ('b', 'c', 'd', 'e', 'p', 'r', 'm') -- see unsupported.sql
  and (relation.oid = 0
       or c.relkind = 'c'
       or t.oid <= 16383
       or t.oid in (select used.oid from used)
       or t.typarray in (select used.oid from used))
