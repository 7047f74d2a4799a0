-- Indexes of every sort.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 14 as v14,
       current_setting('server_version_num')::int / 10000 >= 15 as v15 \gset
create schema zoo_index;
set search_path = zoo_index;
create function f(int) returns int language sql immutable as 'select $1 + 1';
create table t (a int, b text, c int[], d point, e jsonb, f tsvector, "g g" text collate "C");
create index on t (a);
create index "I ""x"" \" on t (b collate "POSIX" varchar_pattern_ops desc nulls last, a nulls first) include (c) with (fillfactor = 33, deduplicate_items = off) where a > 0 and b <> E'\\';
create index expressions on t (f(a), (a + 1), lower(b), (("g g" || 'x')::text) collate "POSIX");
alter index expressions alter column 1 set statistics 111;
alter index expressions alter column 4 set statistics 0;
create unique index u on t (b);
create index h on t using hash (a);
create index gi on t using gin (c) with (fastupdate = off, gin_pending_list_limit = 128);
create index gj on t using gin (e jsonb_path_ops);
create index gs on t using gist (d, f);
create index sp on t using spgist (d) where d is not null;
create index br on t using brin (a int4_minmax_ops, b) with (pages_per_range = 7, autosummarize = on);
\if :v14
create index bm on t using brin (a int4_minmax_multi_ops (values_per_range = 16));
create index gt on t using gist (f tsvector_ops (siglen = 100));
\endif
\if :v15
create unique index nd on t (a, b) nulls not distinct;
\endif
comment on index expressions is 'an index';
create materialized view m as select a, b from t with no data;
create unique index on m (a);
create index m_b on m (lower(b)) where a > 0;
create index m_all on m (b);
alter materialized view m cluster on m_all;
-- an index that was never finished has no place in a dump
create table broken (a int);
insert into broken values (1), (1);
\set ON_ERROR_STOP off
create unique index concurrently broken_index on broken (a);
\set ON_ERROR_STOP on
