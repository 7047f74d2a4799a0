-- Every operator class that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select c.oid,
       c.opcname,
       c.opcnamespace,
       pg_catalog.pg_get_userbyid(c.opcowner) as owner,
       c.opcintype::pg_catalog.regtype as data_type,
       c.opckeytype::pg_catalog.regtype as storage,
       c.opcdefault,
       n.nspname as family_schema,
       f.opfname as family_name,
       m.amname
from pg_catalog.pg_opclass c
join pg_catalog.pg_am m on m.oid = c.opcmethod
join pg_catalog.pg_opfamily f on f.oid = c.opcfamily
join pg_catalog.pg_namespace n on n.oid = f.opfnamespace
where c.oid > 16383 or c.opcnamespace <> 'pg_catalog'::pg_catalog.regnamespace
