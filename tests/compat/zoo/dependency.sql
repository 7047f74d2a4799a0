-- Objects that need each other in circles or across the sections of a dump. For an empty database of server 13 or later;
-- run by psql as a superuser.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int >= 140000 as v14 \gset

create schema dep;
set search_path = '';

-- a type, its functions, an operator class over it, a range over that, a table over all
create type dep.num;
create function dep.num_in(cstring) returns dep.num language internal immutable strict as 'int4in';
create function dep.num_out(dep.num) returns cstring language internal immutable strict as 'int4out';
create type dep.num (input = dep.num_in, output = dep.num_out, like = int4);
create function dep.num_lt(dep.num, dep.num) returns boolean language internal immutable strict as 'int4lt';
create function dep.num_le(dep.num, dep.num) returns boolean language internal immutable strict as 'int4le';
create function dep.num_eq(dep.num, dep.num) returns boolean language internal immutable strict as 'int4eq';
create function dep.num_ge(dep.num, dep.num) returns boolean language internal immutable strict as 'int4ge';
create function dep.num_gt(dep.num, dep.num) returns boolean language internal immutable strict as 'int4gt';
create function dep.num_cmp(dep.num, dep.num) returns int language internal immutable strict as 'btint4cmp';
create function dep.num_minus(dep.num, dep.num) returns float8 language sql immutable as 'select 1.0::float8';
create operator dep.< (function = dep.num_lt, leftarg = dep.num, rightarg = dep.num);
create operator dep.<= (function = dep.num_le, leftarg = dep.num, rightarg = dep.num);
create operator dep.= (function = dep.num_eq, leftarg = dep.num, rightarg = dep.num);
create operator dep.>= (function = dep.num_ge, leftarg = dep.num, rightarg = dep.num);
create operator dep.> (function = dep.num_gt, leftarg = dep.num, rightarg = dep.num);
create operator class dep.num_ops default for type dep.num using btree as operator 1 dep.<, operator 2 dep.<=,
    operator 3 dep.=, operator 4 dep.>=, operator 5 dep.>, function 1 dep.num_cmp(dep.num, dep.num);
create operator class dep.num_other_ops for type dep.num using btree as operator 1 dep.<, operator 2 dep.<=,
    operator 3 dep.=, operator 4 dep.>=, operator 5 dep.>, function 1 dep.num_cmp(dep.num, dep.num);
create type dep.num_range as range (subtype = dep.num, subtype_opclass = dep.num_other_ops,
    subtype_diff = dep.num_minus);
create domain dep.num_domain as dep.num check (value operator(dep.>) '0'::dep.num);
create table dep.of_num (a dep.num primary key, b dep.num_range, c dep.num_domain[] default '{1}');
create function dep.num_larger(dep.num, dep.num) returns dep.num language internal immutable strict as 'int4larger';
create aggregate dep.largest(dep.num) (sfunc = dep.num_larger, stype = dep.num, sortop = operator(dep.>));

-- a table whose default, check and generated column call functions over its own rows
create table dep.self (id int, note text);
create function dep.count_self() returns bigint language plpgsql as 'begin return (select count(*) from dep.self); end';
create function dep.describe(dep.self) returns text language sql immutable as 'select $1.note';
alter table dep.self alter id set default dep.count_self();
alter table dep.self add constraint described check (dep.describe(self) is not null);
create function dep.defaults_to_self(a dep.self default null, b bigint default dep.count_self()) returns setof dep.self
    language sql as 'select * from dep.self';

-- types over row types over types, and a view over functions over views
create type dep.holds_row as (r dep.self, rs dep.self[]);
create domain dep.row_domain as dep.holds_row check ((value).r is not null);
create table dep.of_type (h dep.holds_row, d dep.row_domain);
create view dep.first_view as select id, note from dep.self;
create function dep.of_view() returns setof dep.first_view language sql as 'select * from dep.first_view';
create view dep.second_view as select * from dep.of_view();
create type dep.of_view_row as (v dep.second_view);
create view dep.circular_a as select 1 as x;
create view dep.circular_b as select x from dep.circular_a;
create or replace view dep.circular_a as select x from dep.circular_b;
create materialized view dep.stored as select f.id, count(*) from dep.of_view() f group by f.id with no data;

-- a sequence as a default of a domain and of a function
create sequence dep.numbers;
create domain dep.numbered as bigint default pg_catalog.nextval('dep.numbers'::pg_catalog.regclass);
create function dep.next_number(a bigint default pg_catalog.nextval('dep.numbers')) returns bigint
    language sql as 'select a';

-- casts and operators that a table's index, check and default need
create cast (text as dep.num) with inout as implicit;
create collation dep.own (provider = libc, locale = 'C');
create text search configuration dep.words (copy = pg_catalog.simple);
create table dep.uses_all (t text collate dep.own default 'x', n dep.num default '7'::text,
    check (n operator(dep.<) '9'::text::dep.num));
create index on dep.uses_all (((t::dep.num)) dep.num_other_ops);
create index on dep.uses_all using gin (pg_catalog.to_tsvector('dep.words'::pg_catalog.regconfig, t));
\if :v14
-- bodies that the server keeps parsed: over a primary key that comes after the data, over a view, over each other
create table dep.keyed (id int primary key, a text, b text);
create function dep.grouped() returns setof dep.keyed language sql
    begin atomic select id, a, b from dep.keyed group by id; end;
create procedure dep.grouped_proc() language sql begin atomic select id, a from dep.keyed group by id; end;
create function dep.calls_grouped() returns bigint language sql return (select count(*) from dep.grouped());
create view dep.grouped_view as select id, a, b from dep.keyed group by id;
create function dep.over_grouped_view() returns setof dep.grouped_view language sql
    begin atomic select * from dep.grouped_view; end;
create function dep.upserts() returns void language sql
    begin atomic insert into dep.keyed values (1, 'a', 'b') on conflict on constraint keyed_pkey do nothing; end;
comment on function dep.grouped() is 'after the data';
revoke all on function dep.grouped() from public;
\endif
