-- Partitioned tables: every strategy, several levels, other orders of columns, and what partitions get from their parents.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 15 as v15,
       current_setting('server_version_num')::int / 10000 >= 17 as v17,
       current_setting('server_version_num')::int / 10000 >= 18 as v18 \gset
create schema zoo_partition;
set search_path = zoo_partition;

create table "by range" (id bigint not null, at date not null, v text default 'root', n int check (n > 0)) partition by range (at);
create table "p 2020" partition of "by range" for values from ('2020-01-01') to ('2021-01-01');
create table p_2021 partition of "by range" (v default '2021', constraint own check (n < 1000)) for values from ('2021-01-01') to ('2022-01-01') partition by list (id);
create table p_2021_one partition of p_2021 for values in (1, 2, null);
create table p_2021_rest partition of p_2021 default;
create table p_min partition of "by range" for values from (minvalue) to ('2019-01-01');
create table p_default partition of "by range" default;
-- attached, with another order of columns, one dropped, its own default and not null
create table p_2022 (n int, gone text, v text collate pg_catalog."default" not null default 'mine', id bigint not null, at date not null, check (n > 0), constraint by_range_n_check check (n > 0));
alter table p_2022 drop column gone;
alter table p_2022 add constraint "by range_n_check" check (n > 0);
alter table "by range" attach partition p_2022 for values from ('2022-01-01') to ('2023-01-01');
-- detached
create table p_gone partition of "by range" for values from ('2030-01-01') to ('2031-01-01');
alter table "by range" detach partition p_gone;
insert into "by range" values (1, '2020-02-02', 'x', 1), (1, '2021-02-02', 'y', 2), (9, '2021-02-02', 'z', 3), (5, '2022-05-05', 'w', 4), (6, '2050-01-01', 'd', 5);

-- keys of expressions, collations, operator classes, several columns
create table by_expression (a text, b text) partition by range (lower(a) collate "C", b text_pattern_ops);
create table by_expression_1 partition of by_expression for values from ('a', minvalue) to ('n', maxvalue);
create table by_hash (a int, b text) partition by hash (a, b);
create table by_hash_0 partition of by_hash for values with (modulus 2, remainder 0);
create table by_hash_1 partition of by_hash for values with (modulus 2, remainder 1);
insert into by_hash select n, n::text from generate_series(1, 20) n;
create type colour as enum ('red', 'gr''een');
create table by_enum (c colour, v int) partition by hash (c);
create table by_enum_0 partition of by_enum for values with (modulus 2, remainder 0);
create table by_enum_1 partition of by_enum for values with (modulus 2, remainder 1) partition by list (v);
create table by_enum_1_a partition of by_enum_1 default;
insert into by_enum values ('red', 1), ('gr''een', 2);
create table by_enum_list (c colour) partition by list (c);
create table by_enum_list_1 partition of by_enum_list for values in ('red', 'gr''een');

-- keys and indexes
create table keyed (a int, b int, c text, primary key (a, b), unique (b, a) deferrable initially deferred) partition by range (a);
create table keyed_1 partition of keyed for values from (0) to (10);
create table keyed_2 (c text, b int not null, a int not null, constraint "own key" primary key (a, b));
alter table keyed attach partition keyed_2 for values from (10) to (20);
create table keyed_3 partition of keyed for values from (20) to (30) partition by range (b);
create table keyed_3_1 partition of keyed_3 for values from (0) to (10);
create index keyed_c on keyed (c) include (b) where c <> '';
create index only_parent on only keyed (b);
create index only_child on keyed_1 (c);
create index on keyed ((a + b), lower(c));
alter index keyed_1_expr_lower_idx alter column 1 set statistics 200;
comment on index keyed_c is 'partitioned index';
comment on constraint keyed_pkey on keyed is 'partitioned key';
comment on constraint "own key" on keyed_2 is 'attached key';
comment on index keyed_1_pkey is 'index of a part''s key';
alter table keyed_2 cluster on "own key";
alter table keyed_1 replica identity using index keyed_1_pkey;
alter table keyed replica identity full;

-- foreign keys from and to partitioned tables
create table refers (a int, b int, foreign key (a, b) references keyed (a, b) on delete cascade);
create table refers_too (a int, b int, k int, constraint "fk ""x""" foreign key (a, b) references keyed deferrable) partition by list (k);
create table refers_too_1 partition of refers_too for values in (1);
create table refers_too_2 (k int, b int, a int);
alter table refers_too_2 add constraint own_fk foreign key (a, b) references keyed;
alter table refers_too attach partition refers_too_2 for values in (2);
create table plain_target (k int primary key);
alter table refers_too_1 add constraint local_fk foreign key (k) references plain_target not valid;

-- triggers: copied, then switched in some parts
create function t() returns trigger language plpgsql as 'begin return new; end';
create trigger tr_all after insert on "by range" for each row execute function t();
create trigger tr_off after update on "by range" for each row execute function t();
alter table p_2021 disable trigger tr_all;
alter table p_2021_rest enable always trigger tr_all;
alter table "by range" disable trigger tr_off;
alter table p_2021_one enable replica trigger tr_off;
create trigger tr_own before insert on "p 2020" for each row execute function t();
create trigger tr_statement after insert on "by range" for each statement execute function t();

-- checks and not null at the root after the parts are there; identity; generated; storage
alter table "by range" add constraint later check (id > 0) not valid;
alter table "by range" add column late int not null default 7;
alter table p_default alter late set default 8, alter late set statistics 50;
alter table p_default set (fillfactor = 50);
create table g (a int, k int, g int generated always as (a * 2) stored) partition by list (k);
create table g_1 partition of g for values in (1);
create table g_2 (g int generated always as (a * 2) stored, k int, a int);
alter table g attach partition g_2 for values in (2);
insert into g (a, k) values (1, 1), (2, 2);
\if :v17
create table i (id int generated always as identity, k int) partition by list (k);
create table i_1 partition of i for values in (1);
insert into i (k) values (1);
\endif
create unlogged table unlogged_part (a int);
create table unlogged_root (a int) partition by list (a);
alter table unlogged_root attach partition unlogged_part for values in (1);

-- rows through row security and comments on parts
alter table "by range" enable row level security;
create policy p on "by range" using (id > 0);
create policy p_part on p_2021 as restrictive for select to public using (true);
comment on table p_2021 is 'a part';
comment on column p_2022.v is 'a part''s column';

-- no parts at all; a part in another schema
create table alone (a int) partition by list (a);
create index on alone (a);
create schema "zoo_partition 2";
create table "zoo_partition 2".elsewhere partition of alone for values in (5);
