-- The tables that lack the planner's statistics of something: of a column, of an expression in an index, or of an extended
-- statistics object, which no dump has. Asked of servers from 18 on.
with known as materialized (
    select s.schemaname, s.tablename, s.attname, s.inherited
    from pg_catalog.pg_stats s
), wanted as (
    select c.oid, n.nspname, c.relname, tree.inherited
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    cross join lateral (values (false), (true)) as tree(inherited)
    where c.relkind in ('r', 'm', 'p')
      and c.relpersistence <> 't'
      and n.nspname !~ '^pg_'
      and n.nspname <> 'information_schema'
      and case when tree.inherited
               then exists (select from pg_catalog.pg_inherits i where i.inhparent = c.oid)
               else c.relkind <> 'p' end
)
select pg_catalog.format('%I.%I', w.nspname, w.relname) as name
from wanted w
where exists (select
              from pg_catalog.pg_attribute a
              where a.attrelid = w.oid
                and a.attnum > 0
                and not a.attisdropped
                and a.attgenerated <> 'v'
                and coalesce(a.attstattarget, -1) <> 0
                and (w.nspname, w.relname, a.attname, w.inherited) not in (select k.* from known k))
   or exists (select
              from pg_catalog.pg_index i
              join pg_catalog.pg_class x on x.oid = i.indexrelid
              join pg_catalog.pg_attribute a on a.attrelid = x.oid
              where i.indrelid = w.oid
                and not w.inherited
                and i.indexprs is not null
                and i.indkey[a.attnum - 1] = 0
                and coalesce(a.attstattarget, -1) <> 0
                and (w.nspname, x.relname, a.attname, w.inherited) not in (select k.* from known k))
   or exists (select
              from pg_catalog.pg_statistic_ext e
              join pg_catalog.pg_namespace n on n.oid = e.stxnamespace
              where e.stxrelid = w.oid
                and coalesce(e.stxstattarget, -1) <> 0
                and not exists (select
                                from pg_catalog.pg_stats_ext s
                                where s.statistics_schemaname = n.nspname
                                  and s.statistics_name = e.stxname
                                  and s.inherited = w.inherited)
                and not exists (select
                                from pg_catalog.pg_stats_ext_exprs s
                                where s.statistics_schemaname = n.nspname
                                  and s.statistics_name = e.stxname
                                  and s.inherited = w.inherited))
group by w.nspname, w.relname
order by w.nspname, w.relname
