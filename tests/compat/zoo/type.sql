-- Data types of every sort, with every option, and names that need care. For an empty database of server 13 or later;
-- run by psql as a superuser.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int >= 140000 as v14,
       current_setting('server_version_num')::int >= 170000 as v17 \gset

create schema zoo;
create schema "Zoo ""2""";
set search_path = '';

-- enums
create type zoo.no_labels as enum ();
create type zoo.mood as enum ('sad', 'it''s', 'back\slash', E'new\nline', '', 'ünïcode', '"quoted"');
alter type zoo.mood add value 'between' before 'it''s';
alter type zoo.mood rename value 'sad' to 'Sad';
comment on type zoo.mood is 'how one feels, ''quoted'' and \escaped';
create type "Zoo ""2"""."Enum
line" as enum ('a');
comment on type "Zoo ""2"""."Enum
line" is E'a type\nwhose name has two lines';

-- composite types
create type zoo.empty_row as ();
create type zoo.pair as (a int, "B c" text collate "C", "select" numeric(10, 2)[], d "Zoo ""2"""."Enum
line");
comment on type zoo.pair is 'two and two';
comment on column zoo.pair.a is 'the first';
comment on column zoo.pair."B c" is 'the ''second''';
create type zoo.changed as (gone int, stays varchar(7), moved int);
alter type zoo.changed drop attribute gone;
alter type zoo.changed alter attribute moved type bigint;
alter type zoo.changed add attribute late timestamp(3) with time zone;
comment on column zoo.changed.late is 'came last';
create type zoo.nested as (p zoo.pair, ps zoo.pair[], i interval day to second(3), b bit(5), vb bit varying, c char, n name);

-- domains
create domain zoo.plain as int;
create domain zoo.full_domain as varchar(20) collate "C" not null default 'x''y\z'
    constraint "b check" check (value <> 'b')
    constraint "A check" check (length(value) < 10 and value ~ '^\w');
comment on domain zoo.full_domain is 'everything';
comment on constraint "b check" on domain zoo.full_domain is 'not b';
comment on constraint "A check" on domain zoo.full_domain is 'short';
create domain zoo.not_valid as int check (value > 0);
alter domain zoo.not_valid add constraint later check (value < 100) not valid;
comment on constraint later on domain zoo.not_valid is 'to be validated';
create domain zoo.named as int constraint "Its name" not null;
create domain zoo.renamed_before as int not null;
alter domain zoo.renamed_before rename to renamed;
\if :v17
comment on constraint "Its name" on domain zoo.named is 'no nulls';
\endif
create domain zoo.of_domain as zoo.plain default 7;
create domain zoo.of_array as zoo.pair[] check (array_length(value, 1) = 2);
create domain zoo.of_enum as zoo.mood default 'Sad';
create domain zoo.timed as timestamp(0) default now();
create domain zoo."Long name that goes on and on until it reaches the limit of 63" as int not null;
revoke usage on type zoo.plain from public;

-- a domain whose check needs a function over the domain
create domain zoo.looped as int;
create function zoo.check_looped(zoo.looped) returns boolean language sql immutable as 'select $1::int > 0';
alter domain zoo.looped add constraint by_function check (zoo.check_looped(value));

-- ranges
create type zoo.float_range as range (subtype = float8, subtype_diff = float8mi);
create type zoo.text_range as range (subtype = text, collation = "C", subtype_opclass = text_pattern_ops);
create type "Zoo ""2"""."My Range" as range (subtype = zoo.mood);
comment on type zoo.float_range is 'from, to';
\if :v14
create type zoo.multi as range (subtype = timestamptz, multirange_type_name = "Zoo ""2"""."Many times");
create domain zoo.of_multirange as "Zoo ""2"""."Many times";
\endif
create type zoo.canonical_range;
create function zoo.canonical(zoo.canonical_range) returns zoo.canonical_range
    language internal immutable strict as 'int4range_canonical';
create type zoo.canonical_range as range (subtype = int4, canonical = zoo.canonical);
create table zoo.with_ranges (a zoo.float_range, b zoo.text_range[], c "Zoo ""2"""."My Range");

-- base types: a shell, functions, the type
create type zoo.only_declared;
comment on type zoo.only_declared is 'never defined';
create type zoo.myint;
create function zoo.myint_in(cstring) returns zoo.myint language internal immutable strict as 'int4in';
create function zoo.myint_out(zoo.myint) returns cstring language internal immutable strict as 'int4out';
create function zoo.myint_recv(internal) returns zoo.myint language internal immutable strict as 'int4recv';
create function zoo.myint_send(zoo.myint) returns bytea language internal immutable strict as 'int4send';
create type zoo.myint (internallength = 4, input = zoo.myint_in, output = zoo.myint_out, receive = zoo.myint_recv,
    send = zoo.myint_send, passedbyvalue, alignment = int4, default = '42', category = 'N', preferred = true,
    delimiter = ';', storage = plain);
comment on type zoo.myint is 'an int with a semicolon';
create type zoo.mytext;
create function zoo.mytext_in(cstring) returns zoo.mytext language internal immutable strict as 'textin';
create function zoo.mytext_out(zoo.mytext) returns cstring language internal immutable strict as 'textout';
create function zoo.mytext_typmod_in(cstring[]) returns int language internal immutable strict as 'varchartypmodin';
create function zoo.mytext_typmod_out(int) returns cstring language internal immutable strict as 'varchartypmodout';
create type zoo.mytext (internallength = variable, input = zoo.mytext_in, output = zoo.mytext_out,
    typmod_in = zoo.mytext_typmod_in, typmod_out = zoo.mytext_typmod_out, analyze = pg_catalog.array_typanalyze,
    collatable = true, default = 'it''s \', alignment = int4, storage = extended);
create type zoo.like_int;
create function zoo.like_int_in(cstring) returns zoo.like_int language internal immutable strict as 'int8in';
create function zoo.like_int_out(zoo.like_int) returns cstring language internal immutable strict as 'int8out';
create type zoo.like_int (input = zoo.like_int_in, output = zoo.like_int_out, like = int8);
create type zoo.small;
create function zoo.small_in(cstring) returns zoo.small language internal immutable strict as 'charin';
create function zoo.small_out(zoo.small) returns cstring language internal immutable strict as 'charout';
create type zoo.small (internallength = 1, input = zoo.small_in, output = zoo.small_out, passedbyvalue,
    alignment = char);
create type zoo.with_elements;
create function zoo.with_elements_in(cstring) returns zoo.with_elements language internal immutable strict as 'point_in';
create function zoo.with_elements_out(zoo.with_elements) returns cstring
    language internal immutable strict as 'point_out';
\if :v14
create type zoo.with_elements (internallength = 16, input = zoo.with_elements_in, output = zoo.with_elements_out,
    element = float8, subscript = pg_catalog.raw_array_subscript_handler, alignment = double);
\else
create type zoo.with_elements (internallength = 16, input = zoo.with_elements_in, output = zoo.with_elements_out,
    element = float8, alignment = double);
\endif
create table zoo.uses (a zoo.myint, b zoo.mytext(9)[], c zoo.like_int default '3', d zoo.pair, e zoo.nested[]);
create type zoo.row_in_row as (u zoo.uses, us zoo.uses[]);
grant usage on type zoo.myint to public;
revoke all on type zoo.pair from public;
-- row types of tables and their arrays, each used by something else than its table
create table zoo.row_unused (a int);
create table zoo.row_of_argument (a int);
create table zoo.row_of_array_argument (a int);
create table zoo.row_of_result (a int);
create table zoo.row_of_column (a int);
create table zoo.row_of_domain (a int);
create table zoo.row_of_cast (a int);
create function zoo.a_cast(zoo.row_of_cast) returns int language sql immutable as 'select 1';
create function zoo.a_operator(zoo.row_of_cast, zoo.row_of_array_argument[]) returns int language sql as 'select 1';
create view zoo.row_of_view as select 1 as a;
create function zoo.a_takes_row(zoo.row_of_argument, pg_catalog.pg_class) returns int language sql as 'select 1';
create function zoo.a_takes_rows(zoo.row_of_array_argument[], pg_catalog.pg_type) returns int language sql as 'select 1';
create function zoo.a_gives_rows() returns setof zoo.row_of_result language sql as 'select 1';
create function zoo.a_takes_view(zoo.row_of_view) returns int language sql as 'select 1';
create table zoo.a_holds_rows (r zoo.row_of_column[]);
create domain zoo.a_domain as zoo.row_of_domain;
create domain zoo.a_domain_of_rows as zoo.row_of_domain[];
create cast (zoo.row_of_cast as int) with function zoo.a_cast(zoo.row_of_cast);
create operator zoo.### (leftarg = zoo.row_of_cast, rightarg = zoo.row_of_array_argument[], function = zoo.a_operator);
comment on type zoo.row_unused is 'the row type of a table';
