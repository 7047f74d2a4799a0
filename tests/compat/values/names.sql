-- One object of every kind that has a name, and every place of a statement where one stands. tests/compat/names.rs runs this once
-- for each hostile text: words in angle brackets stand for identifiers, words in square brackets for literals.
create schema <schema> authorization <role>;
comment on schema <schema> is [comment];
set role <role>;
set search_path = <schema>;
create sequence <sequence>;
create type <enum> as enum ([label], [label two]);
create type <composite> as (<attribute> int, <attribute two> text);
create domain <domain> as text default [default] constraint <domain check> check (value <> [check]);
create type <range> as range (subtype = float8);
create table <table> (
    <column> int constraint <primary> primary key,
    <column two> text default [default] constraint <check> check (<column two> <> [check]),
    <column three> <enum> default [label],
    <column four> <composite>[],
    <identity> int generated always as identity (sequence name <identity sequence>),
    <computed> text generated always as (<column two> || [computed]) stored,
    constraint <unique> unique (<column two>, <identity>),
    constraint <exclude> exclude using btree (<identity> with =)
);
insert into <table> (<column>, <column two>, <column four>) values (1, [value], array[(1, [value])::<composite>]), (2, [value two], null);
alter table <table> alter <column two> set statistics 7, alter <column two> set (n_distinct = 5), alter <column two> set storage external;
alter table <table> cluster on <unique>;
alter table <table> replica identity using index <primary>;
create table <child> (<column five> int default nextval([sequence qualified]), constraint <foreign> foreign key (<column five>) references <table> (<column>) on delete set null);
insert into <child> values (1), (null);
alter sequence <sequence> owned by <child>.<column five>;
create index <index> on <table> ((<column two> || [index])) where <column two> > [where];
create statistics <statistics> on <column>, <identity> from <table>;
create view <view> (<column>, <column six>) with (check_option = local) as select <column>, <column two> as <column six> from <table> <alias> where <column two> <> [view];
create materialized view <materialized> as select <column two> as <column>, [constant] as <column two> from <table>;
create table <parent> (<key> text, <column> int) partition by list (<key>);
create table <partition> partition of <parent> for values in ([bound], [bound two]);
create table <other partition> partition of <parent> default;
insert into <parent> values ([bound], 1), ('x', 2);
create table <heir> (<column seven> int, check (<column seven> > 0)) inherits (<child>);
create table <typed> of <composite> (<attribute> with options not null);
create unlogged table <unlogged> (<column> int);
create function <function>(<argument> text default [default], out <result> text) language plpgsql set application_name to [setting] set search_path to <schema>, pg_catalog
    as [body];
create function <changed>() returns trigger language plpgsql as 'begin return null; end';
create procedure <procedure>(inout <argument> <domain>) language sql as [select one];
create aggregate <aggregate>(int) (sfunc = int4pl, stype = int4, initcond = '0');
create trigger <trigger> after update on <table> referencing old table as <old rows> new table as <new rows> for each statement execute function <changed>([argument]);
create trigger <column trigger> before update of <column two> on <table> for each row when (old.<column two> <> [when]) execute function <changed>();
alter table <table> disable trigger <trigger>;
create rule <rule> as on delete to <unlogged> do also notify <channel>, [payload];
create policy <policy> on <table> for select to <role> using (<column two> <> [policy]);
alter table <table> enable row level security;
create operator <schema>.=== (leftarg = int, rightarg = int, procedure = pg_catalog.int4eq);
create collation <collation> from "C";
create table <collated> (<column> text collate <collation>);
create text search dictionary <dictionary> (template = simple, accept = false);
create text search configuration <configuration> (copy = simple);
alter text search configuration <configuration> alter mapping for word with <dictionary>;
comment on table <table> is [comment];
comment on column <table>.<column> is [comment];
comment on constraint <check> on <table> is [comment];
comment on trigger <trigger> on <table> is [comment];
comment on policy <policy> on <table> is [comment];
comment on rule <rule> on <unlogged> is [comment];
comment on function <function>(text) is [comment];
comment on type <composite> is [comment];
comment on column <composite>.<attribute> is [comment];
comment on domain <domain> is [comment];
comment on constraint <domain check> on domain <domain> is [comment];
comment on index <index> is [comment];
grant select (<column>), update on <table> to <reader> with grant option;
grant execute on function <function>(text) to <reader>;
grant usage on type <enum> to <reader>;
grant create on schema <schema> to <reader>;
alter default privileges in schema <schema> grant select on tables to <reader>;
alter default privileges revoke execute on functions from public;
reset role;
create type <base>;
create function <base in>(cstring) returns <base> language internal immutable strict as 'int4in';
create function <base out>(<base>) returns cstring language internal immutable strict as 'int4out';
create type <base> (input = <base in>, output = <base out>, internallength = 4, passedbyvalue, default = '7');
create cast (<base> as int) without function;
create operator family <family> using btree;
create operator class <class> for type int4 using btree family <family> as operator 1 <, operator 2 <=, operator 3 =, operator 4 >=, operator 5 >, function 1 btint4cmp(int4, int4);
create function <handler>() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create language <language> handler <handler>;
create function <in language>() returns int language <language> as 'begin return 1; end';
create access method <method> type table handler heap_tableam_handler;
create conversion <conversion> for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create text search parser <parser> (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search template <template> (init = dsimple_init, lexize = dsimple_lexize);
create foreign data wrapper <wrapper> options (<option> [option]);
create server <server> type [type] version [version] foreign data wrapper <wrapper> options (<option> [option]);
create user mapping for <role> server <server> options (<option> [option], password [password]);
create foreign table <foreign table> (<column> int options (<option> [option])) server <server> options (<option> [option]);
create publication <publication> for table <table>, only <child>;
create subscription <subscription> connection [conninfo] publication <publication>, <publication two> with (connect = false, slot_name = none);
create function <event>() returns event_trigger language plpgsql as 'begin end';
create event trigger <event trigger> on sql_drop when tag in ('DROP TRANSFORM') execute function <event>();
select lo_create(0) as large_object \gset
comment on large object :large_object is [comment];
alter large object :large_object owner to <role>;
grant select on large object :large_object to <reader>;
comment on event trigger <event trigger> is [comment];
comment on publication <publication> is [comment];
comment on server <server> is [comment];
comment on language <language> is [comment];
comment on access method <method> is [comment];
comment on conversion <conversion> is [comment];
comment on text search parser <parser> is [comment];
comment on operator class <class> using btree is [comment];
