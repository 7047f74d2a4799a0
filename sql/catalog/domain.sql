-- What these domains stand on; the collation only where it is not the base type's own.
select t.oid,
       pg_catalog.format_type(t.typbasetype, t.typtypmod) as base,
       ln.nspname as collnamespace,
       l.collname,
       t.typnotnull,
       pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass) as default_expression,
       t.typdefault
from pg_catalog.pg_type t
join pg_catalog.pg_type b on b.oid = t.typbasetype
left join pg_catalog.pg_collation l on l.oid = t.typcollation and t.typcollation <> b.typcollation
left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
where t.oid = any ($1::pg_catalog.oid[])
  and t.typtype = 'd'
