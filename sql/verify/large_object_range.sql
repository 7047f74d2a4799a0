-- $3 bytes of the large object $1 from byte $2 on; fewer at its end.
select pg_catalog.encode(pg_catalog.lo_get($1::pg_catalog.oid, $2::pg_catalog.int8, $3::pg_catalog.int4), 'hex') as content
