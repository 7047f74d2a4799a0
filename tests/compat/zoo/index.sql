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
-- B-trees whose statement needs nothing but the catalog, and their neighbours for which the server is asked
create domain whole as int;
create domain letters as text collate "POSIX";
create type color as enum ('red');
create type pair as (a int, b int);
create table plain (a int, b varchar(9), c char(3), d name, e "char", f bytea, g numeric(9, 2), h timestamptz, i text collate "C",
    j uuid, k whole, l letters, m color, n int[], o pair, p varchar collate "C", q oid, r interval, "s T" int, "json" int,
    "select" int, "ü" text, normalize text, json_table int, _1 int, s inet, t bool, u int4range, v tid, w bit(3), x jsonb);
create index plain_each_1 on plain (a, b, c, d, e, f, g, h, i);
create index plain_each_2 on plain (j, q, r, s, t, v, w, x);
create index plain_orders on plain (a, a desc, a nulls first, a desc nulls last, b desc, c nulls first);
create unique index plain_included on plain (a, b desc) include (c, n, "s T");
create index "Plain Quoted" on plain ("s T", "ü");
create index plain_word on plain ("select");
create index plain_new_word on plain (normalize);
create index "json" on plain ("json", json_table);
create index plain_underscore on plain (_1);
create index plain_domain on plain (k);
create index plain_text_domain on plain (l);
create index plain_enum on plain (m);
create index plain_array on plain (n);
create index plain_row on plain (o);
create index plain_range on plain (u);
create index plain_collated on plain (p, i);
create index plain_other_collation on plain (b collate "C", i collate "POSIX");
create index plain_default_collation on plain (i collate "default");
create index plain_pattern on plain (b text_pattern_ops, c bpchar_pattern_ops);
create index plain_other_class on plain (i varchar_ops);
create index plain_class_by_name on plain (a int4_ops, b text_ops);
create index plain_parameters on plain (a) with (fillfactor = 70);
alter table plain drop column c;
create table "Plain" ("Id" int primary key, "Name" varchar unique, constraint "Both" unique ("Id", "Name"));
create unique index "Plain_Name_Id" on "Plain" ("Name", "Id");
create table "order" (a int);
create index on "order" (a);
create unlogged table unlogged (a int);
create index on unlogged (a desc);
create table parted (a int, b text) partition by list (a);
create table parted_1 partition of parted for values in (1);
create index on parted (b, a desc);
create index on parted_1 (b);
comment on index expressions is 'an index';
create materialized view m as select a, b from t with no data;
create unique index on m (a);
create index m_b on m (lower(b)) where a > 0;
create index m_all on m (b);
create index m_plain on m (a desc, b);
alter materialized view m cluster on m_all;
-- an index that was never finished has no place in a dump
create table broken (a int);
insert into broken values (1), (1);
\set ON_ERROR_STOP off
create unique index concurrently broken_index on broken (a);
\set ON_ERROR_STOP on
