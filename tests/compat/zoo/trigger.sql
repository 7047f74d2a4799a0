-- Triggers, event triggers, row security and extended statistics.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 14 as v14,
       current_setting('server_version_num')::int / 10000 >= 17 as v17 \gset
create schema zoo_trigger;
set search_path = zoo_trigger;
create function f() returns trigger language plpgsql as 'begin return new; end';
create function "F ""x""."() returns trigger language plpgsql as 'begin return new; end';
create table t (a int, b text, c int);
create table "T ""x"" \" (a int);
create trigger plain before insert on t for each row execute function f();
create trigger "tr ""x"" \" after update of b, a on t for each row when (old.b is distinct from new.b and new.b <> E'\\') execute function "F ""x""."('a''b', E'\\', '');
create trigger tables after update on t referencing old table as o new table as "N n" for each statement execute function f();
create trigger trunc before truncate on t execute function f();
create trigger off before insert on "T ""x"" \" for each row execute function f();
alter table "T ""x"" \" disable trigger off;
create trigger always before insert on t for each row execute function f(); alter table t enable always trigger always;
create trigger replica before insert on t for each row execute function f(); alter table t enable replica trigger replica;
create constraint trigger ct after insert or delete on t deferrable initially immediate for each row execute function f();
comment on trigger plain on t is 'a trigger';

create function e() returns event_trigger language plpgsql as 'begin end';
create event trigger "zoo e ""x""" on ddl_command_end when tag in ('CREATE TABLE', 'DROP TABLE') execute function e();
create event trigger zoo_off on sql_drop execute function e();
alter event trigger zoo_off disable;
create event trigger zoo_always on table_rewrite execute function e();
alter event trigger zoo_always enable always;
create event trigger zoo_replica on ddl_command_start when tag in ('CREATE VIEW') execute function e();
alter event trigger zoo_replica enable replica;
comment on event trigger zoo_off is 'an event trigger';
\if :v17
create event trigger zoo_login on login execute function e();
alter event trigger zoo_login disable;
\endif

do $$ begin
    if not exists (select from pg_roles where rolname = 'zoo "r"') then create role "zoo ""r"""; end if;
end $$;
alter table t enable row level security;
alter table "T ""x"" \" enable row level security, force row level security;
create table forced_only (a int); alter table forced_only force row level security;
create policy p on t;
create policy p_select on t for select to public using (a > 0);
create policy p_insert on t for insert to "zoo ""r""", current_user with check (b <> E'\\');
create policy p_update on t as restrictive for update using (a > 0) with check (a < 10);
create policy p_delete on t for delete using (exists (select 1 from forced_only where forced_only.a = t.a));
create policy "p ""x"" \" on "T ""x"" \" as restrictive to session_user using (true) with check (false);
comment on policy p_select on t is 'a policy';

create statistics s on a, b from t;
create statistics "s ""x"" \" (dependencies, mcv) on a, b, c from t;
alter statistics "s ""x"" \" set statistics 42;
comment on statistics s is 'statistics';
\if :v14
create statistics s_expression on (a + 1), lower(b), c from t;
create statistics s_one on (a * 2) from t;
\endif
create schema "zoo_trigger 2";
create statistics "zoo_trigger 2".elsewhere (ndistinct) on a, c from t;
