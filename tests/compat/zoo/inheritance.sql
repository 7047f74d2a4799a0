-- Inheritance by hand: what is a child's own and what is its parents'.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 18 as v18 \gset
create schema zoo_inheritance;
set search_path = zoo_inheritance;

create table parent (a int not null, b text default 'parent', c int check (c > 0), d numeric default 1 not null);
create table other (x int default 3, a int not null, b text);
create table plain () inherits (parent);
create table mixed (y int) inherits (parent, other);
create table reversed (b text default 'mine', a int) inherits (other, parent);
create table no_default (b text) inherits (parent);
alter table no_default alter b drop default;
create table inherited_no_default () inherits (parent);
alter table inherited_no_default alter b drop default, alter d drop default;
create table own_default () inherits (parent);
alter table own_default alter b set default 'child', alter c set default 5;
create table own_not_null () inherits (parent);
alter table own_not_null alter b set not null;
create table own_check (check (a > 5), constraint parent_c_check check (c > 0)) inherits (parent);
create table no_inherit_check (a int, constraint ni check (a > 0) no inherit, constraint inh check (a < 100));
create table under_no_inherit () inherits (no_inherit_check);
create table grandchild (z int) inherits (plain, mixed);
insert into grandchild (a, c, z) values (1, 2, 3);

-- attached later, in another order of columns, with dropped ones
create table attached (extra int, d numeric not null, gone int, c int, b text, a int not null, constraint parent_c_check check (c > 0));
alter table attached drop column gone;
alter table attached inherit parent;
create table detached () inherits (parent);
alter table detached no inherit parent;

-- a column that the parent got later, or the child had first
create table late_parent (a int);
create table late_child (n int default 4, m int) inherits (late_parent);
alter table late_parent add column n int default 4;
alter table late_parent add column o int not null default 0;
alter table only late_parent add constraint only_here check (a is not null) no inherit;
alter table late_child alter n set statistics 55, alter o set statistics 66;
comment on column late_child.o is 'inherited';

-- not null: added to the parent, to the child, to both
create table nn_parent (a int, b int, c int, d int primary key);
create table nn_child (b int not null, c int) inherits (nn_parent);
alter table nn_child alter a set not null;
alter table nn_parent alter c set not null;

-- generated columns
create table g_parent (a int, g int generated always as (a * 2) stored);
create table g_same () inherits (g_parent);
create table g_redefined (a int, g int generated always as (a * 2) stored);
alter table g_redefined inherit g_parent;
\if :v18
create table g_other (g int generated always as (a * 3) stored) inherits (g_parent);
create table nn18_parent (a int constraint parent_name not null, b int);
create table nn18_child (constraint child_name not null b) inherits (nn18_parent);
create table nn18_own (a int constraint own_name not null) inherits (nn18_parent);
create table nn18_none () inherits (nn18_parent);
alter table nn18_none alter b set not null;
create table nn18_no_inherit (constraint "no" not null b no inherit) inherits (nn18_parent);
create table nn18_late (a int, b int);
insert into nn18_late values (null, null);
alter table nn18_late add constraint nn18_late_a not null a not valid;
create table nn18_late_child () inherits (nn18_late);
create table nn18_late_child_2 (a int not null) inherits (nn18_late);
create table nn18_quoted (constraint "q ""x""" not null b) inherits (nn18_parent);
\endif

-- checks that are not valid, merged, and with comments
alter table parent add constraint later check (a > -100) not valid;
alter table only other add constraint other_only check (a > -50) no inherit not valid;
alter table plain add constraint on_child check (a <> 13) not valid;
comment on constraint later on parent is 'not valid';
comment on constraint parent_c_check on parent is 'inline';
comment on constraint parent_c_check on own_check is 'merged';

-- inheritance from and by foreign, unlogged and typed tables
create unlogged table unlogged_child () inherits (parent);
create type pair as (a int, b text);
create table typed of pair;
-- across schemas
create schema "zoo_inheritance 2";
create table "zoo_inheritance 2".parent (a int not null, b text);
create table cross_child () inherits ("zoo_inheritance 2".parent, other);
