-- Ranges without their multirange types, and those without their ranges; in the form of contradiction.sql.
select g.tableoid as classid,
       g.tableoid::pg_catalog.regclass as catalog,
       g.rngtypid as oid,
       0 as schema_oid,
       0 as relation_oid,
       pg_catalog.format_type(g.rngtypid, null) as name,
       'pg_catalog.pg_type'::pg_catalog.regclass as referenced_catalog,
       g.rngmultitypid as referenced_oid
from pg_catalog.pg_range g
where not exists (select from pg_catalog.pg_type t where t.oid = g.rngmultitypid)
union all
select t.tableoid, t.tableoid::pg_catalog.regclass, t.oid, t.typnamespace, 0, t.typname::pg_catalog.text,
       'pg_catalog.pg_range'::pg_catalog.regclass, null
from pg_catalog.pg_type t
where t.typtype = 'm'
  and not exists (select from pg_catalog.pg_range g where g.rngmultitypid = t.oid)
order by 3, 8
