-- Sequences.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 15 as v15 \gset
create schema zoo_sequence;
set search_path = zoo_sequence;
create sequence plain;
create sequence "S ""x"" \ '" as smallint increment -2 minvalue -30000 maxvalue -1 start -5 cache 20 cycle;
create sequence int_default as integer;
create sequence int_down as integer increment -1;
create sequence big_bounds minvalue -9223372036854775808 maxvalue 9223372036854775807 start 0;
create sequence small_max as smallint maxvalue 32767 minvalue 1;
select nextval('plain'), nextval('plain'), nextval('int_down'), setval('big_bounds', 9223372036854775807), setval('int_default', 10, false);
create table owner (a int default nextval('plain'), b int, c smallserial, d bigserial);
alter sequence plain owned by owner.b;
create sequence used_not_owned;
alter table owner alter b set default nextval('used_not_owned'), add column e bigint default nextval('zoo_sequence.used_not_owned'::text);
\if :v15
create unlogged sequence unlogged_sequence;
\endif
comment on sequence plain is 'a sequence';
grant usage on sequence plain to public;
create table dropped_owner (x int, a serial);
alter table dropped_owner drop column x;
insert into dropped_owner default values;
