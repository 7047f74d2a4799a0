-- Operators, operator classes and families, casts, transforms, access methods and languages. For an empty database of
-- server 13 or later; run by psql as a superuser.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int >= 140000 as v14 \gset

create schema ops;
create schema "Ops ""2""";
set search_path = '';

create type ops.pair as (a int, b int);
create type "Ops ""2"""."T x" as enum ('a', 'b');
create function ops.pair_eq(ops.pair, ops.pair) returns boolean language sql immutable as 'select ($1).a = ($2).a';
create function ops.pair_ne(ops.pair, ops.pair) returns boolean language sql immutable as 'select ($1).a <> ($2).a';
create function ops.pair_lt(ops.pair, ops.pair) returns boolean language sql immutable as 'select ($1).a < ($2).a';
create function ops.pair_gt(ops.pair, ops.pair) returns boolean language sql immutable as 'select ($1).a > ($2).a';
create function ops.pair_le(ops.pair, ops.pair) returns boolean language sql immutable as 'select ($1).a <= ($2).a';
create function ops.pair_ge(ops.pair, ops.pair) returns boolean language sql immutable as 'select ($1).a >= ($2).a';
create function ops.pair_cmp(ops.pair, ops.pair) returns int language sql immutable as 'select ($1).a - ($2).a';
create function ops.pair_int_cmp(ops.pair, int) returns int language sql immutable as 'select ($1).a - $2';
create function ops.pair_int_eq(ops.pair, int) returns boolean language sql immutable as 'select ($1).a = $2';
create function ops.pair_hash(ops.pair) returns int language sql immutable as 'select ($1).a';
create function ops.pair_minus(ops.pair) returns ops.pair language sql immutable as 'select row(-($1).a, 0)::ops.pair';
create function ops."Odd (name"(int, int) returns int language sql immutable as 'select 1';

-- operators: with a commutator and negator in another schema, before their own definition, prefix, odd names
create operator ops.= (function = ops.pair_eq, leftarg = ops.pair, rightarg = ops.pair, commutator = operator(ops.=),
    negator = operator("Ops ""2""".<>), restrict = eqsel, join = eqjoinsel, hashes, merges);
create operator "Ops ""2""".<> (function = ops.pair_ne, leftarg = ops.pair, rightarg = ops.pair,
    commutator = operator("Ops ""2""".<>), negator = operator(ops.=), restrict = neqsel, join = neqjoinsel);
create operator ops.< (function = ops.pair_lt, leftarg = ops.pair, rightarg = ops.pair, commutator = operator(ops.>),
    negator = operator(ops.>=), restrict = scalarltsel, join = scalarltjoinsel);
create operator ops.> (function = ops.pair_gt, leftarg = ops.pair, rightarg = ops.pair, commutator = operator(ops.<),
    negator = operator(ops.<=));
create operator ops.<= (function = ops.pair_le, leftarg = ops.pair, rightarg = ops.pair, commutator = operator(ops.>=),
    negator = operator(ops.>));
create operator ops.>= (function = ops.pair_ge, leftarg = ops.pair, rightarg = ops.pair, commutator = operator(ops.<=),
    negator = operator(ops.<));
create operator ops.= (function = ops.pair_int_eq, leftarg = ops.pair, rightarg = int);
create operator ops.!@# (function = ops.pair_minus, rightarg = ops.pair);
create operator ops.<%> (function = ops."Odd (name", leftarg = int, rightarg = int, commutator = operator(ops.<%>));
create operator ops.|||| (function = pg_catalog.textcat, leftarg = text, rightarg = text);
create operator "Ops ""2"""./| (function = pg_catalog.int4um, rightarg = int);
create operator ops.<-> (function = pg_catalog.int4mi, leftarg = int, rightarg = int, commutator = operator(ops.<->));
comment on operator ops.= (ops.pair, ops.pair) is 'same first';
comment on operator ops.!@# (none, ops.pair) is 'prefix';

-- operator classes and families: with a family of their own, in a shared one, loose members, storage, order by
create operator class ops.pair_ops default for type ops.pair using btree as
    operator 1 ops.<, operator 2 ops.<=, operator 3 ops.= (ops.pair, ops.pair), operator 4 ops.>=, operator 5 ops.>,
    function 1 ops.pair_cmp(ops.pair, ops.pair);
create operator class "Ops ""2"""."Pair hash" for type ops.pair using hash as
    operator 1 ops.= (ops.pair, ops.pair), function 1 ops.pair_hash(ops.pair);
create operator family ops.shared using btree;
alter operator family ops.shared using btree add
    operator 3 ops.= (ops.pair, int), function 1 (ops.pair, int) ops.pair_int_cmp(ops.pair, int);
create operator class ops.in_shared for type ops.pair using btree family ops.shared as
    operator 1 ops.< , operator 3 ops.= (ops.pair, ops.pair), function 1 ops.pair_cmp(ops.pair, ops.pair);
create operator family "Ops ""2"""."Empty fam" using hash;
create operator class ops.nothing for type "Ops ""2"""."T x" using btree as storage "Ops ""2"""."T x";
create operator class ops.stored for type text using gist as
    operator 1 pg_catalog.= (text, text), storage bytea;
create operator class ops.distance for type point using gist as
    operator 11 pg_catalog.>> (point, point),
    operator 15 pg_catalog.<-> (point, point) for order by pg_catalog.float_ops,
    function 1 pg_catalog.gist_point_consistent(internal, point, smallint, oid, internal),
    function 2 pg_catalog.gist_box_union(internal, internal),
    function 5 pg_catalog.gist_box_penalty(internal, internal, internal),
    function 6 pg_catalog.gist_box_picksplit(internal, internal),
    function 7 pg_catalog.gist_box_same(box, box, internal),
    storage box;
comment on operator class ops.pair_ops using btree is 'by the first';
comment on operator family ops.shared using btree is 'loose';
comment on operator family "Ops ""2"""."Empty fam" using hash is 'none';
create table ops.indexed (p ops.pair, q point);
create index on ops.indexed (p);
create index on ops.indexed using gist (q ops.distance);

-- casts: by function, binary, by text; every context; from and to types of every sort
create function ops.to_int(ops.pair) returns int language sql immutable as 'select ($1).a';
create function ops.from_int(int) returns ops.pair language sql immutable as 'select row($1, $1)::ops.pair';
create function ops.with_modifier("Ops ""2"""."T x", int, boolean) returns text language sql immutable as 'select ''x''';
create cast (ops.pair as int) with function ops.to_int(ops.pair);
create cast (int as ops.pair) with function ops.from_int(int) as assignment;
create cast ("Ops ""2"""."T x" as text) with function ops.with_modifier("Ops ""2"""."T x", int, boolean) as implicit;
create cast (text as "Ops ""2"""."T x") with inout as assignment;
create cast (bigint as uuid) with inout;
create cast (timestamptz as interval) with function pg_catalog.age(timestamptz) as assignment;
create cast (bytea as ops.pair[]) with inout;
comment on cast (ops.pair as int) is 'takes the first';

-- transforms
create transform for int language plpgsql (to sql with function pg_catalog.int4recv(internal));
create transform for int language sql
    (from sql with function pg_catalog.varchar_support(internal), to sql with function pg_catalog.int4recv(internal));
create transform for "Ops ""2"""."T x" language plpgsql
    (from sql with function pg_catalog.varchar_support(internal));
comment on transform for int language sql is 'a transform';
create function ops.transformed(a int, b "Ops ""2"""."T x"[]) returns int language plpgsql
    transform for type int, for type "Ops ""2"""."T x" as $$begin return 1; end$$;

-- access methods
create access method heap_too type table handler heap_tableam_handler;
create access method "B tree" type index handler bthandler;
comment on access method heap_too is 'the heap by another name';
create table ops.in_heap_too (a int) using heap_too;

-- languages: with functions of their own, and without
create function ops.handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function ops.inline_handler(internal) returns void language c strict as '$libdir/plpgsql', 'plpgsql_inline_handler';
create function ops.validator(oid) returns void language c strict as '$libdir/plpgsql', 'plpgsql_validator';
create trusted language "Mine ""2""" handler ops.handler inline ops.inline_handler validator ops.validator;
create language untrusted handler ops.handler;
comment on language "Mine ""2""" is 'plpgsql by another name';
revoke usage on language "Mine ""2""" from public;
create function ops.in_mine() returns int language "Mine ""2""" as $$begin return 1; end$$;
