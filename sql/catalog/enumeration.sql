-- The labels of these enums, in order.
select e.enumtypid as oid,
       e.enumlabel
from pg_catalog.pg_enum e
where e.enumtypid = any ($1::pg_catalog.oid[])
order by e.enumtypid, e.enumsortorder
