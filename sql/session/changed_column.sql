-- The columns of tables that may have been changed by transactions which the snapshot does not see: $2 is the oldest transaction
-- that was running when it was taken. $1 are the tables.
select attribute.attrelid as oid
from pg_catalog.pg_attribute as attribute
where attribute.attnum > 0
    and pg_catalog.age(attribute.xmin) <= pg_catalog.age($2::pg_catalog.xid)
    and attribute.attrelid = any ($1::pg_catalog.oid[])
group by attribute.attrelid
order by attribute.attrelid
