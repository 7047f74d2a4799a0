-- The next large objects after $1, in order, each with the first $2 bytes of its content.
select m.oid,
       pg_catalog.encode(pg_catalog.lo_get(m.oid, 0, $2::pg_catalog.int4), 'hex') as content
from pg_catalog.pg_largeobject_metadata m
where m.oid > $1::pg_catalog.oid
order by m.oid
limit 16
