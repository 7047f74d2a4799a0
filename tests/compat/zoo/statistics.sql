-- What the planner knows: run ANALYZE behind it.
create schema zoo_statistics;
set search_path = zoo_statistics;
create table t (id int primary key, v text, words text[], span int4range, spans int4range, at timestamptz, doc tsvector, m money,
                flag bool, nothing int, none int, "c ""d"" \" int);
alter table t alter none set statistics 0;
insert into t select g, 'it''s \ "' || g % 7, array[g::text, (g % 3)::text], case when g % 9 > 0 then int4range(g, g + 10) end,
                     'empty', '2020-02-02 02:02:02+02'::timestamptz + g * interval '1 day', to_tsvector('simple', 'a b ' || g),
                     g::text::money, g % 10 = 0, null, g, g / 3
              from generate_series(1, 500) g;
create index expressions on t ((id + 1), lower(v), id, (id % 5));
create index plain on t (v);
create index part on t (id) where flag;
alter table t add unique (id, v);
create table never (a int);
create unlogged table unlogged (a int);
insert into unlogged values (1);
create table "T ""q"" \ 'x'" ("c 'd' \" text);
insert into "T ""q"" \ 'x'" select 'Zürich' || g from generate_series(1, 20) g;
create table parted (a int, b text) partition by list (a);
create table parted_1 partition of parted for values in (1);
create table parted_2 partition of parted for values in (2) partition by list (b);
create table parted_2_x partition of parted_2 default;
create index on parted ((a + 1), b);
insert into parted select 1 + g % 2, g from generate_series(1, 100) g;
create table parent (a int, b text);
create table child (c int) inherits (parent);
insert into parent select g, g from generate_series(1, 50) g;
insert into child select g, g, g from generate_series(1, 50) g;
create view seen as select * from t;
create materialized view filled as select id, v from t;
create index filled_lower on filled (lower(v));
create materialized view again as select lower(v) as v from filled;
create materialized view unfilled as select id from t with no data;
-- this one needs the primary key, and so comes after the data
create materialized view late as select id, v, count(*) from t group by id;
create unique index on late (id);
create statistics extended on id, v from t;
create table dropped (a int, b int, c int);
alter table dropped drop b;
insert into dropped select g, g from generate_series(1, 10) g;
create index on dropped ((c + a));
reset search_path;
