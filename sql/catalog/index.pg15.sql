-- The indexes of the relations that are asked about, and whether they can be used; those of partitioned tables are never valid
-- until all partitions have theirs.
-- The definition of a plain B-tree is not asked for: the server takes its time to write one. What it is made of is told.
select i.indexrelid,
       i.indrelid,
       c.relname,
       (i.indisvalid or t.relkind = 'p') and i.indisready as is_usable,
       i.indkey,
       i.indnkeyatts,
       i.indisunique,
       (i.indisprimary or i.indisexclusion) and i.indisvalid as makes_constraint,
       i.indisclustered,
       i.indisreplident,
       i.indnullsnotdistinct as indnullsnotdistinct,
       inh.inhparent as parent,
       ts.spcname as tablespace,
       c.reloptions as options,
       case when plain.is_plain then i.indclass end as operator_classes,
       case when plain.is_plain then i.indcollation end as collations,
       case when plain.is_plain then i.indoption end as orders,
       stats.columns as statistics_columns,
       stats.targets as statistics_targets
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_index i on i.indrelid = wanted.oid
join pg_catalog.pg_class c on c.oid = i.indexrelid
join pg_catalog.pg_class t on t.oid = i.indrelid
cross join lateral (
    select not i.indisprimary
           and i.indexprs is null
           and i.indpred is null
           and c.reloptions is null
           and c.relkind = 'i'
           and c.relam = 403 as is_plain
) plain
left join pg_catalog.pg_inherits inh on inh.inhrelid = i.indexrelid
left join pg_catalog.pg_tablespace ts on ts.oid = c.reltablespace
left join lateral (
    select pg_catalog.array_agg(a.attnum order by a.attnum) as columns,
           pg_catalog.array_agg(a.attstattarget order by a.attnum) as targets
    from pg_catalog.pg_attribute a
    where i.indexprs is not null and a.attrelid = i.indexrelid and a.attstattarget >= 0
) stats on true
order by i.indrelid, c.relname
