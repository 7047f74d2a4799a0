-- Default and generation expressions of the columns of the relations that are asked about. Only a generation expression has
-- other columns in it; for all others the server need not look the relation up, which takes it most of the time.
select d.oid,
       d.adrelid,
       d.adnum,
       pg_catalog.pg_get_expr(
           d.adbin,
           case when d.adbin::pg_catalog.text like '%{VAR %' then d.adrelid else 0::pg_catalog.oid end
       ) as expression
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_attrdef d on d.adrelid = wanted.oid
order by d.adrelid, d.adnum
