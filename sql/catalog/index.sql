-- The usable indexes of the relations that are asked about; those of partitioned tables are never valid until all
-- partitions have theirs.
-- What a constraint made has no statement of its own, and the server takes its time to write one.
select i.indexrelid,
       i.indrelid,
       c.relname,
       case when made.oid is null then pg_catalog.pg_get_indexdef(i.indexrelid) end as definition,
       i.indkey,
       i.indnkeyatts,
       i.indisclustered,
       i.indisreplident,
       false as indnullsnotdistinct,
       inh.inhparent as parent,
       ts.spcname as tablespace,
       c.reloptions as options,
       stats.columns as statistics_columns,
       stats.targets as statistics_targets
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_index i on i.indrelid = wanted.oid
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_class t on t.oid = i.indrelid
left join pg_catalog.pg_constraint made
    on made.conrelid = i.indrelid and made.conindid = i.indexrelid and made.contype in ('p', 'u', 'x')
left join pg_catalog.pg_inherits inh on inh.inhrelid = i.indexrelid
left join pg_catalog.pg_tablespace ts on ts.oid = c.reltablespace
left join lateral (
    select pg_catalog.array_agg(a.attnum order by a.attnum) as columns,
           pg_catalog.array_agg(a.attstattarget order by a.attnum) as targets
    from pg_catalog.pg_attribute a
    where i.indexprs is not null and a.attrelid = i.indexrelid and a.attstattarget >= 0
) stats on true
where (i.indisvalid or t.relkind = 'p')
  and i.indisready
order by i.indrelid, c.relname
