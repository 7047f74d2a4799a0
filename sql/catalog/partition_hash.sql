-- Partitioned tables whose rows may fall into other partitions after a restore: hash partitioning by an enum, whose hash
-- is that of an oid.
select p.partrelid
from pg_catalog.pg_partitioned_table p
where exists (
    select 1
    from pg_catalog.pg_opclass o
    join pg_catalog.pg_am a on a.oid = o.opcmethod
    where o.oid = any (p.partclass::pg_catalog.oid[])
      and o.opcname = 'enum_ops'
      and o.opcnamespace = 'pg_catalog'::pg_catalog.regnamespace
      and a.amname = 'hash'
)
