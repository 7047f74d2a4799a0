-- Functions, procedures and aggregates with every option. For an empty database of server 13 or later; run by psql as a
-- superuser.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int >= 140000 as v14 \gset

create schema fun;
create schema "Fun ""2""";
set search_path = '';

create table fun.t (id int, name text);
create function fun.plain() returns int language sql as 'select 1';
create function fun.options(a int, b text default 'it''s', variadic c int[] default '{1,2}'::int[]) returns setof fun.t
    language sql stable strict security definer leakproof cost 7.5 rows 12 parallel safe
    set search_path = pg_catalog, "Fun ""2""", '' set work_mem = '1MB' set "DateStyle" = 'ISO, DMY'
    as $$ select 1, 'x' $$;
create function fun.immutable(inout a int, out b numeric(5, 2), out "C d" text) returns record
    language plpgsql immutable parallel restricted as $body$
begin
    b := 1; -- $$ and $_$ and 'quotes' and \ backslashes
    "C d" := $_X$x$_X$;
end
$body$;
create function fun.table_result(p int) returns table (x int, "Y z" text[]) language sql rows 1000 cost 100
    as 'select 1, null::text[]';
create function fun.no_rows() returns setof int language sql rows 1 as 'select 1';
create function fun.many_types(a timestamp with time zone, b numeric, c bit varying, d "char", e char, f interval,
    g fun.t, h fun.t[], i anyelement, j regclass) returns anyelement language sql as 'select i';
create function fun.unnamed(int, text, out int, out text) language sql as 'select $1, $2';
create function fun."Name ""q"" (x"(" a""b" int) returns int language sql as 'select 1';
create function "Fun ""2"""."select"(fun.t) returns "pg_catalog".int4 language sql as 'select 1';
create function fun.window_rank() returns bigint language internal window immutable as 'window_rank';
create function fun.internal_cost(float8) returns float8 language internal immutable strict cost 3 as 'dsin';
create function fun.library_handler() returns language_handler language c as '$libdir/plpgsql', 'plpgsql_call_handler';
create function fun.supported(text, text) returns boolean language internal immutable strict
    support pg_catalog.textlike_support as 'textlike';
create function fun.overloaded(int) returns int language sql as 'select 1';
create function fun.overloaded(text) returns int language sql as 'select 2';
create function fun.overloaded(int, int) returns int language sql as 'select 3';
create function fun.overloaded(fun.t) returns int language sql as 'select 4';
create function fun.trigger_function() returns trigger language plpgsql as $$begin return new; end$$;
create function fun.event_function() returns event_trigger language plpgsql as $$begin end$$;
create function fun.from_current() returns int language sql set timezone from current as 'select 1';
create function fun.default_expressions(a timestamptz default now(), b fun.t default row(1, 'x')::fun.t,
    c text default E'line\nbreak', d int default (1 + 2)) returns int language sql as 'select 1';
create function fun.needs_table(x fun.t) returns setof fun.t language plpgsql as $$begin return next x; end$$;
comment on function fun.needs_table(fun.t) is E'two\nlines';
comment on function fun.options(int, text, int[]) is 'all options';
create procedure fun.proc(a int, inout b text default 'x') language plpgsql as $$begin commit; end$$;
create procedure fun.proc() language sql security definer set lock_timeout = '5s' as 'select 1';
comment on procedure fun.proc(int, text) is 'a procedure';
revoke all on function fun.plain() from public;
revoke all on procedure fun.proc() from public;
alter function fun.plain() depends on extension plpgsql;
\if :v14
create function fun.returns_sql(a int, b int default 2) returns int language sql immutable return a + b * 2;
create function fun.atomic(a text) returns setof fun.t language sql begin atomic
    select id, name from fun.t where name = a || $$'$$;
    insert into fun.t values (1, 'a;b') returning *;
end;
create procedure fun.atomic_proc(a int, out b int) language sql begin atomic select a + 1; end;
create function fun.atomic_over_view_later() returns bigint language sql return (select count(*) from fun.t);
\endif

-- aggregates
create aggregate fun.total(int) (sfunc = int4pl, stype = int4, initcond = '0');
create aggregate fun.everything(float8) (sfunc = float8_accum, stype = float8[], sspace = 64, finalfunc = float8_avg,
    finalfunc_modify = read_write, combinefunc = float8_combine, initcond = '{0,0,0}', parallel = safe);
create aggregate fun.serial(numeric) (sfunc = numeric_avg_accum, stype = internal, sspace = 128,
    finalfunc = numeric_avg, combinefunc = numeric_avg_combine, serialfunc = numeric_avg_serialize,
    deserialfunc = numeric_avg_deserialize, parallel = restricted);
create aggregate fun.moving(numeric) (sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_avg,
    finalfunc_modify = shareable, msfunc = numeric_avg_accum, minvfunc = numeric_accum_inv, mstype = internal,
    msspace = 256, mfinalfunc = numeric_avg, mfinalfunc_modify = read_write);
create aggregate fun.moving_sum(int) (sfunc = int4pl, stype = int4, initcond = '0', msfunc = int4pl,
    minvfunc = int4mi, mstype = int4, minitcond = '0');
create aggregate fun.largest(text) (sfunc = text_larger, stype = text, sortop = operator(pg_catalog.>));
create aggregate fun.star(*) (sfunc = int8inc, stype = int8, initcond = '0');
create function fun.two_step(int8, int, text) returns int8 language sql immutable as 'select $1 + 1';
create aggregate fun.two(a int, "a b" text) (sfunc = fun.two_step, stype = int8, initcond = '0');
create aggregate fun.percentile(float8 order by anyelement) (sfunc = ordered_set_transition, stype = internal,
    finalfunc = percentile_disc_final, finalfunc_extra);
create aggregate fun.percentile_shared(float8 order by anyelement) (sfunc = ordered_set_transition, stype = internal,
    finalfunc = percentile_disc_final, finalfunc_extra, finalfunc_modify = shareable);
create aggregate fun.rank(variadic "any" order by variadic "any") (sfunc = ordered_set_transition_multi,
    stype = internal, finalfunc = rank_final, finalfunc_extra, hypothetical);
create aggregate fun.concat(variadic items text[]) (sfunc = array_cat, stype = text[], initcond = '{"a,b",c''d}');
create aggregate "Fun ""2"""."Sum of"(bigint) (sfunc = int8pl, stype = int8, initcond = '0');
comment on aggregate fun.star(*) is 'counts';
comment on aggregate fun.percentile(float8 order by anyelement) is 'ordered';
comment on aggregate fun.rank(variadic "any" order by variadic "any") is 'hypothetical';
revoke all on function fun.star() from public;
revoke all on function fun.rank("any") from public;
revoke all on function fun.two(int, text) from public;
