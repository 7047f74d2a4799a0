-- Every extension, with the tables whose rows are the user's.
select x.oid,
       x.extname,
       n.nspname,
       x.extconfig,
       x.extcondition
from pg_catalog.pg_extension x
join pg_catalog.pg_namespace n on n.oid = x.extnamespace
order by x.oid
