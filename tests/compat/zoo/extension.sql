-- Extensions, changes to what they made, and objects that depend on them. For an empty database of server 13 or later
-- with PostgreSQL's own extensions; run by psql as a superuser.
\set ON_ERROR_STOP on

create schema ext;
create schema "Ext ""2""";
create extension hstore schema ext;
create extension "uuid-ossp" schema "Ext ""2""";
create extension citext schema public;
create extension pg_trgm schema public;
create extension postgres_fdw schema public;
create extension pg_stat_statements schema ext;
set search_path = '';

comment on extension hstore is 'changed';
create table ext.uses (h ext.hstore default 'a=>1', c public.citext, u uuid default "Ext ""2""".uuid_generate_v4());
create index on ext.uses using gin (c public.gin_trgm_ops);
create function ext.takes(ext.hstore, public.citext[]) returns public.citext language sql as 'select null::public.citext';
create domain ext.no_empty as public.citext check (value <> '');
create cast (ext.hstore as public.citext) with inout;
revoke all on function ext.hstore(text, text) from public;
grant select on ext.pg_stat_statements to pg_monitor;
revoke select on ext.pg_stat_statements from public;
grant usage on type ext.hstore to pg_monitor;
revoke usage on foreign data wrapper postgres_fdw from current_user;
create server far foreign data wrapper postgres_fdw options (host 'h', dbname 'd');
create function ext.goes_with() returns int language sql as 'select 1';
alter function ext.goes_with() depends on extension hstore;
alter function ext.goes_with() depends on extension pg_trgm;
create procedure ext.goes_too(int) language sql as 'select 1';
alter procedure ext.goes_too(int) depends on extension hstore;
