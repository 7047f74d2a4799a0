-- The bounds and keys of the partitions and partitioned tables that are asked about.
select c.oid,
       pg_catalog.pg_get_expr(c.relpartbound, c.oid) as bound,
       case when c.relkind = 'p' then pg_catalog.pg_get_partkeydef(c.oid) end as key
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_class c on c.oid = wanted.oid
where c.relispartition or c.relkind = 'p'
