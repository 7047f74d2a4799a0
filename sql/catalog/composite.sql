-- The columns of these composite types; the collation only where it is not the column type's own.
select t.oid,
       t.typrelid,
       a.attnum,
       a.attname,
       pg_catalog.format_type(a.atttypid, a.atttypmod) as data_type,
       ln.nspname as collnamespace,
       l.collname
from pg_catalog.pg_type t
join pg_catalog.pg_class c on c.oid = t.typrelid and c.relkind = 'c' -- tables have a type each, and columns of their own
join pg_catalog.pg_attribute a on a.attrelid = t.typrelid
join pg_catalog.pg_type y on y.oid = a.atttypid
left join pg_catalog.pg_collation l on l.oid = a.attcollation and a.attcollation <> y.typcollation
left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
where t.oid = any ($1::pg_catalog.oid[])
  and t.typtype = 'c'
  and a.attnum > 0
  and not a.attisdropped
order by t.oid, a.attnum
