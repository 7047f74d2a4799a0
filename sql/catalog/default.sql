-- Default and generation expressions of the columns of the relations that are asked about.
select d.oid,
       d.adrelid,
       d.adnum,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid) as expression
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_attrdef d on d.adrelid = wanted.oid
order by d.adrelid, d.adnum
