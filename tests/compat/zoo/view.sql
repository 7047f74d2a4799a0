-- Views, materialized views, rules, and the loops that they make.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 15 as v15 \gset
create schema zoo_view;
set search_path = zoo_view;
create table t (id int primary key, a text collate "C", b int);
insert into t values (1, 'x', 2);
create view plain as select * from t;
create view "V ""x"" \" ("select", "b
c") as select id, a || E'\\' from t;
create view barrier with (security_barrier) as select * from t where b > 0;
create view checked with (security_barrier = false) as select * from t where b > 0 with local check option;
create view cascaded as select * from checked where id > 0 with cascaded check option;
\if :v15
create view invoker with (security_invoker = true, security_barrier = true) as select * from t with check option;
\endif
create view with_defaults as select id, a, b from t;
alter view with_defaults alter column b set default 5, alter a set default E'it''s \\';
comment on view plain is 'a view';
comment on column plain.a is 'a view''s column';
create recursive view numbers (n) as values (1) union all select n + 1 from numbers where n < 5;
create temp view not_dumped as select 1;
-- a view that needs a primary key, and what needs the view
create view grouped as select id, a, count(*) from t group by id;
create view over_grouped as select * from grouped where id > 0;
create function of_grouped(grouped) returns text language sql as 'select ($1).a';
create view calls as select of_grouped(g) from grouped g;
create materialized view m_grouped as select * from grouped;
create materialized view m_over as select count(*) from m_grouped with no data;
create materialized view m_unpopulated as select 1 as one with no data;
create view between_them as select * from m_grouped;
create materialized view m_through as select * from between_them;
create unique index on m_through (id);
create materialized view m_options with (fillfactor = 60, toast.autovacuum_enabled = off) as select a, repeat(a, 3) as r from t;
alter materialized view m_options alter a set statistics 9, alter r set storage external;
comment on materialized view m_options is 'a materialized view';
create materialized view m_of_unpopulated as select * from m_unpopulated with no data;
-- views that need each other through functions
create function loop_f() returns int language sql as 'select 1';
create view loop_v as select loop_f() as x, id from t;
create or replace function loop_f() returns int language sql as 'select count(*)::int from zoo_view.loop_v';
create table as_table (a int, b text);
create rule "_RETURN_" as on insert to plain do instead insert into t values (new.id, new.a, new.b) returning t.*;
create rule "r ""x"" \" as on update to t where old.b is distinct from new.b do also (insert into as_table values (new.b, E'\\'); delete from as_table where a = 0);
create rule nothing as on delete to as_table do instead nothing;
alter table as_table disable rule nothing;
create rule always as on insert to as_table do also nothing;
alter table as_table enable always rule always;
create rule replica as on update to as_table do also nothing;
alter table as_table enable replica rule replica;
comment on rule nothing on as_table is 'a rule';
comment on rule "_RETURN" on plain is 'of a view';
create function vt() returns trigger language plpgsql as 'begin return new; end';
create trigger instead_of instead of insert on over_grouped for each row execute function vt();
grant select (id) on plain to public;
