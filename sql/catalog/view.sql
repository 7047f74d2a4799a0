-- What the views and materialized views that are asked about select.
select c.oid,
       pg_catalog.pg_get_viewdef(c.oid) as definition
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_class c on c.oid = wanted.oid
where c.relkind in ('v', 'm')
