-- The type of each column that COPY gives of a table, in their order; of a domain the type below all domains.
with recursive typed as (
    select attribute.attnum as number, attribute.atttypid as type
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = $1::pg_catalog.oid
        and attribute.attnum > 0
        and not attribute.attisdropped
        and attribute.attgenerated = ''
    union all
    select typed.number, domain.typbasetype
    from typed
    join pg_catalog.pg_type as domain on domain.oid = typed.type and domain.typtype = 'd'
)
select typed.type as type
from typed
join pg_catalog.pg_type as found on found.oid = typed.type and found.typtype <> 'd'
order by typed.number
