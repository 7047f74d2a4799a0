-- One object of each kind that another refers to, each of a schema and tables of its own, so that a row of the catalogs can be
-- taken away without the others being touched. It loads on every major from 13 on.
create schema gone;
create table gone.kept (id int primary key, x text);
insert into gone.kept values (1, 'rows of a schema that has no row');

create schema c;
set search_path = c, public;

create function handler_of_language() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create language spoken handler handler_of_language;
create function in_language() returns int language spoken as 'begin return 1; end';

create function one(int) returns int language sql immutable as 'select $1';
create function less(int, int) returns boolean language sql immutable as 'select $1 < $2';
create function reverse_compare(int, int) returns int language sql immutable as 'select btint4cmp($2, $1)';

create foreign data wrapper wrapper;
create foreign data wrapper wrapper_of_server;
create server foreign_one foreign data wrapper wrapper;
create server foreign_two foreign data wrapper wrapper_of_server;
create server foreign_three foreign data wrapper wrapper;
create foreign table foreign_table (id int) server foreign_one;
create foreign table without_side_row (id int) server foreign_two;
create user mapping for public server foreign_three;

create sequence counter;
create table identity_column (id int generated always as identity);

create table parent (id int, shared text);
create table child (own int) inherits (parent);
insert into child values (1, 'a', 2);
create table parent_two (id int, inherited text);
create table child_two (own int) inherits (parent_two);
create table ranged (id int) partition by range (id);
create table ranged_1 partition of ranged for values from (0) to (10);
insert into ranged values (5);
create table listed (id int) partition by list (id);
create table listed_1 partition of listed for values in (1);
create table keyed (id int) partition by list (id);
create table keyed_1 partition of keyed for values in (1);

create text search parser parser (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search configuration search (parser = parser);
create text search template template (lexize = dsimple_lexize);
create text search dictionary dictionary (template = template);
create text search dictionary mapped (template = simple);
create text search configuration mapping (copy = simple);
alter text search configuration mapping alter mapping for asciiword with mapped;

create table ruled (id int);
create rule rule as on delete to ruled do instead nothing;
create view seen as select id from parent;
create materialized view stored as select id from parent;

create type mood as enum ('a', 'b');
create table typed (m mood);
create domain positive as int check (value > 0);
create domain on_domain as positive;
create type pair as (a int, b mood);
create type spread as range (subtype = int);
create collation sorted from "C";
create table collated (x text collate sorted);

create table defaults (id int, x int default 7);
create table generated (id int, x int generated always as (id * 2) stored);
create table checks (id int, check (id > 0), check (id < 100));
create table primary_key (id int primary key);
create table unique_key (id int unique);
create table indexed (id int);
create index plain_index on indexed (id);
create table referenced (id int primary key);
create table referencing (id int references referenced);
create table columns (a int, b int, c int);
create table attributes (a int, b int, c int);
create table not_nulls (a int not null);

create function trigger_function() returns trigger language plpgsql as 'begin return new; end';
create table triggered (id int);
create trigger trigger before insert on triggered for each row execute function trigger_function();

create table guarded (id int);
create policy policy on guarded to pg_monitor using (true);
create table guarded_two (id int);
create policy policy_two on guarded_two using (true);

create aggregate total(int) (sfunc = int4pl, stype = int, initcond = '0');
create operator ### (leftarg = int, rightarg = int, function = less);
create operator family family using btree;
create operator class class for type int using btree family family as operator 1 <, operator 2 <=, operator 3 =,
    operator 4 >=, operator 5 >, function 1 btint4cmp(int, int);
create operator family family_two using btree;
create operator class class_two for type int using btree family family_two as operator 1 <, operator 2 <=, operator 3 =,
    operator 4 >=, operator 5 >, function 1 reverse_compare(int, int);
create table classed (id int);
create index classed_index on classed (id class);
create cast (mood as int) with inout;
create cast (pair as int) with inout;
create access method heap_two type table handler heap_tableam_handler;
create table of_method (id int) using heap_two;
create conversion conversion for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create publication publication for table parent;
create table extended (a int, b int);
create statistics extended_statistics on a, b from extended;
create function event_function() returns event_trigger language plpgsql as 'begin end';
create event trigger event on ddl_command_end execute function event_function();
alter event trigger event disable;
create function arguments(mood) returns int language sql as 'select 1';
create function by_result() returns positive language sql as 'select 1::positive';
create type composite_of_table as (a int);
create table of_type of composite_of_table;
create schema for_defaults;
alter default privileges in schema for_defaults grant select on tables to public;
create extension if not exists plpgsql;
select lo_create(9001);
