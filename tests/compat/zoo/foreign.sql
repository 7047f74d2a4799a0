-- Foreign tables.
\set ON_ERROR_STOP on
create schema zoo_foreign;
set search_path = zoo_foreign;
create foreign data wrapper zoo_wrapper;
create server "zoo s ""x""" foreign data wrapper zoo_wrapper;
create foreign table plain (a int not null, b text default 'x' collate "C", c int check (c > 0)) server "zoo s ""x""";
create foreign table options (a int options (name 'it''s \', "Odd ""k""" 'v'), b text) server "zoo s ""x""" options ("user" 'x', schema 'a''b\c');
alter foreign table plain alter a set statistics 5, alter b set storage external, alter a set (n_distinct = 3);
create table parent (a int not null, b text);
create foreign table child (c int) inherits (parent) server "zoo s ""x""" options (x 'y');
create table root (a int, b text) partition by list (a);
create foreign table part partition of root for values in (1) server "zoo s ""x""";
create function t() returns trigger language plpgsql as 'begin return new; end';
create trigger tr before insert on plain for each row execute function t();
alter foreign table plain disable trigger tr;
alter foreign table plain add constraint late check (a > 0) not valid;
comment on foreign table plain is 'a foreign table';
comment on column plain.b is 'a column';
comment on constraint late on plain is 'a check';
grant select on plain to public;
create view over_foreign as select * from plain;
