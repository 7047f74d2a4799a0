-- Constraints of every sort.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 15 as v15,
       current_setting('server_version_num')::int / 10000 >= 18 as v18 \gset
create schema zoo_constraint;
set search_path = zoo_constraint;

create table target (a int primary key, b int not null, c int, unique (b, c), constraint "u ""i""" unique (c) include (a, b) with (fillfactor = 50));
create unique index target_index on target (b);
create unique index target_promoted on target (b desc, a);
create table keys (
    a int, b int, c int, r int4range,
    constraint k primary key (b, a) include (c) deferrable,
    unique (a) deferrable initially deferred,
    constraint e exclude using gist (r with &&) where (a > 0) deferrable initially deferred,
    exclude (c with =),
    check (a > b), check (c is distinct from a) no inherit, constraint "ch ""x"" \" check (b <> all (array[1, 2])),
    constraint f1 foreign key (a) references target,
    constraint f2 foreign key (b, c) references target (b, c) match full on update set null on delete set default deferrable initially deferred,
    constraint f3 foreign key (b) references target (b) on delete restrict on update cascade
);
comment on constraint k on keys is 'key';
comment on constraint e on keys is 'exclusion';
comment on constraint "ch ""x"" \" on keys is 'check';
comment on constraint f1 on keys is 'foreign';
comment on index k is 'the index of the key';
alter table keys add constraint later check (a < 1000) not valid;
alter table keys add constraint later_key foreign key (c) references target (b) not valid;
alter table keys add column self int references target deferrable, add foreign key (self) references target (b);
create unique index promoted on keys (c, a);
alter table keys add constraint "Promoted" unique using index promoted;
\if :v15
create table nulls (a int, b int, unique nulls not distinct (a, b) include (a), constraint one unique nulls not distinct (b));
create table on_delete_columns (a int, b int, foreign key (a, b) references target (b, c) on delete set null (b));
\endif
\if :v18
create table periods (id int4range, valid daterange, constraint pk primary key (id, valid without overlaps));
create table periods_u (id int4range, valid daterange, unique (id, valid without overlaps));
create table referring (id int4range, at daterange, foreign key (id, period at) references periods (id, period valid));
create table not_enforced (a int, b int, constraint ne check (a > 0) not enforced, constraint fk foreign key (b) references target not enforced);
create table not_enforced_only (a int, constraint fk foreign key (a) references target not enforced);
\endif
-- two tables that refer to each other, one that refers to itself
create table ring_1 (a int primary key, b int);
create table ring_2 (a int primary key, b int references ring_1);
alter table ring_1 add foreign key (b) references ring_2;
create table tree (id int primary key, up int references tree);
insert into ring_1 values (1, null); insert into ring_2 values (1, 1); update ring_1 set b = 1;
insert into tree values (1, null), (2, 1);
-- checks with functions that read tables, and with whole rows
create function ok(int) returns boolean language sql immutable as 'select $1 > 0';
create table checked (a int check (ok(a)), b int default abs(-3) check (b > 0), constraint whole check (checked is not null));
create function uses_checked(checked) returns int language sql as 'select ($1).a';
alter table checked add constraint in_loop check (uses_checked(checked) > 0);
-- constraint triggers
create function t() returns trigger language plpgsql as 'begin return null; end';
create constraint trigger ct after insert on target from keys deferrable initially deferred for each row when (new.a > 0) execute function t('x', E'\\');
