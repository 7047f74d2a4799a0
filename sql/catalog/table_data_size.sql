-- The blocks of tables, and their bytes with what is stored out of line. $1 are tables that this session has locked: others
-- might keep it waiting.
select c.oid,
       pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::pg_catalog.int8 as block_count,
       pg_catalog.pg_table_size(c.oid) as byte_count
  from pg_catalog.pg_class c
 where c.oid = any ($1::pg_catalog.oid[])
