-- The definitions of these indexes.
select wanted.oid,
       pg_catalog.pg_get_indexdef(wanted.oid) as definition
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
