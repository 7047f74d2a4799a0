-- What the columns of tables are called, as this session sees it.
select attribute.attrelid as oid,
    attribute.attnum as number,
    attribute.attname as name,
    attribute.atttypid as type,
    attribute.attisdropped as is_dropped
from pg_catalog.pg_attribute as attribute
where attribute.attnum > 0
    and attribute.attrelid = any ($1::pg_catalog.oid[])
order by attribute.attrelid, attribute.attnum
