-- Relations and their indexes are rows of this one catalog.
select pg_catalog.pg_relation_size('pg_catalog.pg_class') as byte_count
