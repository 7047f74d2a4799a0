-- The blocks of tables, and their bytes with what is stored out of line, of those that have $2 blocks; of smaller ones the bytes are
-- their own alone, as to ask the rest takes time. $1 are tables that this session has locked: others might keep it waiting.
select c.oid,
       size.blocks as block_count,
       case when size.blocks >= $2::pg_catalog.int8
            then pg_catalog.pg_table_size(c.oid)
            else size.bytes
       end as byte_count
  from pg_catalog.pg_class c,
       lateral (select b.bytes, b.bytes / pg_catalog.current_setting('block_size')::pg_catalog.int8 as blocks
                  from (select pg_catalog.pg_relation_size(c.oid) as bytes offset 0) b offset 0) size
 where c.oid = any ($1::pg_catalog.oid[])
