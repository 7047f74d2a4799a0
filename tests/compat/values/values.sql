-- Values that dumps have lost somewhere before: the ends of every type, and text that looks like COPY's own marks.
-- Loaded by tests/compat/values.rs into databases of several encodings; the floats' rows come from there, bit by bit.
set extra_float_digits = 3; set datestyle = 'ISO, YMD'; set intervalstyle = postgres; set timezone = 'UTC';
set standard_conforming_strings = on; set array_nulls = on; set xmloption = content; set search_path = public;

create table floats (id int, f4 float4, f8 float8);
create table float_words (f4 float4, f8 float8);
insert into float_words values ('NaN', 'NaN'), ('Infinity', '-Infinity'), ('-0', '-0'), ('1e-45', '4.9e-324'),
    ('3.4028235e38', '1.7976931348623157e308'), ('0.1', '0.30000000000000004'), (null, null);

create table integers (a smallint, b int, c bigint, o oid);
insert into integers values (-32768, -2147483648, -9223372036854775808, 0), (32767, 2147483647, 9223372036854775807, 4294967295);

create table numerics (n numeric, s numeric(1000, 500), k numeric(5, 0));
insert into numerics values ('NaN', 'NaN', 'NaN'), ('1e131071', 1, -99999), ('1e-16383', 1e-500, 0), ('0.000', '-0.0', null), ('1.10', '1e499', 1);
insert into numerics select (random() * 1e15)::numeric * power(10::numeric, i % 200 - 100), i / 3.0, i from generate_series(1, 2000) i;

create table times (d date, ts timestamp, tz timestamptz, t time, tt timetz, i interval);
insert into times values
    ('infinity', 'infinity', 'infinity', '00:00', '00:00+15:59:59', '178000000 years'),
    ('-infinity', '-infinity', '-infinity', '24:00', '24:00-15:59:59', '-178000000 years'),
    ('4713-01-01 BC', '4713-01-01 00:00:00 BC', '4713-01-01 00:00:00+00 BC', '23:59:59.999999', '12:00:00.000001+00:00:01', '-1 mons +2 days -03:04:05.000006'),
    ('5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', '23:59:60', '23:59:59.999999-00:30', '2147483647 days'),
    ('0001-12-31 BC', '0044-03-15 12:00 BC', '1883-11-18 12:03:58-04:56:02', '01:02:03.4', '01:02:03.4+05:45', '-2147483648 days'),
    ('2000-02-29', '1999-12-31 23:59:59.5', '2026-03-29 01:30:00+00', null, null, '2147483647:59:59.999999'),
    ('10000-01-01', '20000-01-01', '20000-01-01 00:00+00', null, null, '-2147483647:59:59.999999'),
    (null, null, null, null, null, '00:00:00');
insert into times select '1800-01-01'::date + i, '1600-01-01'::timestamp + i * interval '77:13:01.000123', '1850-01-01Z'::timestamptz + i * interval '40:01:17.1',
    '00:00'::time + i * interval '43.21 seconds', ('00:00'::time + i * interval '43.21 seconds')::timetz at time zone (interval '1 minute' * (i % 900 - 450)),
    (i - 1000) * interval '1 month 2 days' + (1000 - i) * interval '07:08:09.1' from generate_series(1, 2000) i;

create table bytes (id int, b bytea);
insert into bytes select i, decode(lpad(to_hex(i), 2, '0'), 'hex') from generate_series(0, 255) i;
insert into bytes select 1000 + i, decode(repeat(md5(i::text), i % 40), 'hex') from generate_series(1, 2000) i;
insert into bytes values (9000, ''), (9001, '\x5c2e0a'), (9002, '\x5c4e'), (9003, null), (9004, decode(repeat('005c27', 50000), 'hex'));

create table texts (id serial, t text, v varchar(40), c char(5), q "char", n name);
insert into texts (t) select chr(i) from generate_series(1, 127) i;
insert into texts (t) select 'x' || chr(i) || 'y' || chr(128 - i) from generate_series(1, 127) i;
insert into texts (t) select string_agg(chr(1 + (i * j * 7919) % 127), '' order by j) from generate_series(1, 2000) i, generate_series(1, 12) j group by i;
insert into texts (t, v, c, q, n) values ('\.', '\.', '\.', '\', '\.'), ('\N', '\N', '\N', 'N', '\N'), (E'\\.\n', E'\n\\.', E'\r', E'\n', E'a\nb'),
    ('', '', '', '', ''), (E'\\\\N', E'\\', ' ', ' ', ' a '), (null, null, null, null, null), (E'a\r\nb', E'\r', E'\t', E'\t', E'\t'),
    (E'--\n/* */ $$ \' " ; \\! id', '$1', '%s', '%', '%s%n'), ('null', 'NULL', 'null', 'n', 'null');
insert into texts (t) values (repeat(E'wide \\ \t', 100000));

create type mood as enum ('sad', 'o''k', 'ha"p,py', '', ' ', '\', '{}', 'null');
create domain positive as int check (value > 0);
create domain nested as positive check (value < 100) default 7;
create type pair as (a int, "b c" text);
create type deep as (p pair, ps pair[], m mood, n nested, f float8, b bytea, at timestamptz);
create table composites (m mood, n nested, p pair, ps pair[], d deep, ds deep[], ms mood[], ns nested[]);
insert into composites
select (enum_range(null::mood))[1 + i % 8], 1 + i % 99, (i, chr(1 + i % 127) || '"\(),')::pair,
    array[(i, null)::pair, null, (null, '')::pair, (1, 'NULL')::pair, (2, E'\\"\n{}')::pair],
    ((i, 'a,b'), array[(1, '"')::pair], 'ha"p,py', 5, 'NaN', '\x005c', '1999-01-01 12:00+00')::deep,
    array[null, (null, null, null, null, '-Infinity', '', 'infinity')::deep], array['', 'null', null, '{}', ' ']::mood[], array[1, null]::nested[]
from generate_series(1, 500) i;
insert into composites values (null, null, row(null, null), '{}', null, array[]::deep[], null, null);

create table arrays (i int[], t text[], f float8[], b bytea[], n numeric[], d timestamptz[], j json[], x bool[]);
insert into arrays values ('{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'), ('[0:2]={1,null,3}', '[-1:0]={NULL,"NULL"}', '{NaN,Infinity,-0}', array['\x00'::bytea, '', null], '{NaN,1e100}', '{infinity,-infinity}', array['{"a": "\u0000"}'::json, null], '{t,f,null}'),
    ('{{{1,2},{3,4}}}', array['', ' ', '"', '\', '{', '}', ',', E'\n', E'\\N', 'null', null], null, null, null, null, null, null),
    ('[2:2][3:4]={{5,6}}', array[array['a', 'b'], array['c', null]], null, null, null, null, null, null);
insert into arrays (t) select array_agg(chr(1 + (i * j) % 127)) from generate_series(1, 1000) i, generate_series(1, 5) j group by i;

create type floats_between as range (subtype = float8, subtype_diff = float8mi);
create table ranges (a int4range, b numrange, c tsrange, d tstzrange, e daterange, f floats_between, g int8range[]);
insert into ranges values ('empty', 'empty', 'empty', 'empty', 'empty', 'empty', '{}'), ('(,)', '(,)', '(,)', '(,)', '(,)', '(,)', array['empty', null]::int8range[]),
    ('[1,1]', '[NaN,NaN]', '[-infinity,infinity]', '[infinity,)', '[-infinity,infinity)', '[-Infinity,NaN]', array['[1,2)', '(,5]']::int8range[]),
    ('(,-2147483648)', '(0.10,0.20]', '["1999-01-08 04:05:06.000001","294276-12-31 23:59:59")', '["0044-03-15 BC",)', '[4713-01-01 BC,5874897-12-31)', '(0.1,0.30000000000000004)', null);

create table searches (v tsvector, q tsquery);
insert into searches values ($$'a' 'b c':1A,16383B '''' '\\':3$$, $$'a b':*A & !'''' | ('\\' <-> 'x')$$), ('', ''), (null, null), ('a:1 a:2', '!a <3> b'), (array_to_tsvector(array['x y', E'\t', '"']), null);

create table documents (j json, b jsonb, p jsonpath);
insert into documents values ('{"a": "\u0000", "a": 1,   "b": [1.10, 1e400, "\ud83d\ude00", "\\."]}', '{"n": 1.10, "big": 123456789012345678901234567890, "t": "\t\"\\"}', '$."a b"[*] ? (@.x > 1.50 && @ like_regex "^\\d+" flag "i")'), ('null', 'null', 'strict $'), (E' "a\\nb" ', '"\\N"', null), ('[]', '{}', null);
create table markup (x xml);
insert into markup values ('<a b="&lt;">&#10;text</a>'), ('text only &amp; <b/>'), (''), ('<?xml version="1.0"?><r/>'), (null);

create table amounts (m money, ms money[]);
insert into amounts select (i * 100)::numeric::money, array[(-i)::numeric::money] from generate_series(-50, 50) i;

create table bits (b bit(3), v varbit, w bit varying(200));
insert into bits values ('000', '', ''), ('101', '1', repeat('10', 100)::varbit), (null, repeat('1', 1001)::varbit, null);

create table shapes (p point, l line, s lseg, b box, a path, g polygon, c circle);
insert into shapes values ('(1e-300,-0)', '{1,-1,0}', '[(0,0),(NaN,1)]', '(3,4),(1,2)', '[(1,2),(3,4)]', '((0,0),(0,1),(1,0))', '<(0,0),0>'), ('(Infinity,NaN)', '{0.1,0.2,0.30000000000000004}', '[(1,1),(-Infinity,2)]', '(Infinity,0.1),(0,0)', '((1,2),(3,4))', '((0.1,0.2))', '<(Infinity,1),0.1>'), (null, null, null, null, null, null, null);

create table addresses (i inet, c cidr, m macaddr, e macaddr8, u uuid, l pg_lsn, x xid, y xid8, d cid, t tid, s txid_snapshot, k pg_snapshot);
insert into addresses values ('::ffff:1.2.3.4/97', '10/8', '08002b:010203', '08:00:2b:01:02:03:04:05', '00000000-0000-0000-0000-000000000000', '0/0', '4294967295', '18446744073709551615', '4294967295', '(4294967295,65535)', '1:2:', '10:20:10,14,15'),
    ('0.0.0.0/0', '::/0', 'ff:ff:ff:ff:ff:ff', 'ff:ff:ff:ff:ff:ff:ff:ff', 'ffffffff-ffff-ffff-ffff-ffffffffffff', 'FFFFFFFF/FFFFFFFF', '0', '0', '0', '(0,0)', null, null), (null, null, null, null, null, null, null, null, null, null, null, null);

create table names_of (c regclass, p regprocedure, o regoperator, t regtype, r regrole, n regnamespace, g regconfig, i int2vector, v oidvector, f refcursor, a aclitem);
insert into names_of values ('pg_class', 'now()', '+(int4,int4)', 'double precision', 'pg_monitor', 'pg_catalog', 'english', '1 -2', '1 4294967295', '"\', makeaclitem('pg_monitor'::regrole, 'pg_read_all_settings'::regrole, 'SELECT', true));
insert into names_of (c, t, n, i) values (0, 0, 0, ''), (null, null, null, null);

create table none ();
insert into none select from generate_series(1, 5);
create table no_rows ();
create table one_left (a int, b text, c text, d int);
insert into one_left select i, 'gone', E'kept\t' || i, i from generate_series(1, 10) i;
alter table one_left drop a, drop b, drop d;
alter table one_left add e int default 5;
select 'create table columns_1600 (' || string_agg(format('c%s %s', i, (array['int', 'text', 'bool', 'smallint'])[1 + i % 4]), ', ' order by i) || ')' from generate_series(1, 1600) i \gexec
select 'insert into columns_1600 select ' || string_agg((array['r', 'r::text', 'r % 2 = 0', 'null'])[1 + i % 4], ', ' order by i) || ' from generate_series(1, 3) r' from generate_series(1, 1600) i \gexec
create table computed (a int, b text generated always as ('<' || a || '>') stored, c bigint generated always as identity, d int default 3);
insert into computed (a) select i from generate_series(1, 10) i;
create table parent (k int, t text) partition by range (k);
create table child (t text, gone int, k int); alter table child drop gone;
alter table parent attach partition child for values from (0) to (100);
insert into parent select i, E'\\.' || chr(10) || i from generate_series(0, 99) i;
select lo_from_bytea(770000 + i, decode(repeat(md5(i::text), i * 100), 'hex')) from generate_series(0, 20) i;

select current_setting('server_version_num')::int >= 140000 as has_multiranges, current_setting('server_version_num')::int >= 170000 as has_endless_intervals \gset
\if :has_multiranges
insert into numerics (n) values ('Infinity'), ('-Infinity');
create table multiranges (a int4multirange, b tstzmultirange, f nummultirange[]);
insert into multiranges values ('{}', '{[-infinity,infinity]}', array['{[1,2),[3,NaN]}', null]::nummultirange[]), ('{(,1),[3,5),[9,)}', '{(,)}', '{}');
\endif
\if :has_endless_intervals
insert into times (i) values ('infinity'), ('-infinity');
\endif
