-- Publications and subscriptions. Nothing here connects anywhere.
\set ON_ERROR_STOP on
select current_setting('server_version_num')::int / 10000 >= 14 as v14,
       current_setting('server_version_num')::int / 10000 >= 15 as v15,
       current_setting('server_version_num')::int / 10000 >= 16 as v16,
       current_setting('server_version_num')::int / 10000 >= 17 as v17,
       current_setting('server_version_num')::int / 10000 >= 18 as v18 \gset
create schema zoo_publication;
set search_path = zoo_publication;
create table t (a int primary key, "B b" text, c int);
create table root (a int, b int) partition by list (a);
create table leaf partition of root for values in (1);
create publication "zoo p ""x""" for table t, only root with (publish = 'insert, truncate');
create publication zoo_all for all tables with (publish_via_partition_root = true);
create publication zoo_none with (publish = '');
create publication zoo_empty;
comment on publication zoo_all is 'a publication';
\if :v15
create publication zoo_filtered for table t ("B b", a) where (a > 0 and "B b" <> E'\\'), leaf where (true);
create publication zoo_schema for tables in schema zoo_publication, table zoo_publication.t with (publish = 'update, delete');
\endif
\if :v18
create publication zoo_generated for table t with (publish_generated_columns = stored);
\endif
select 'zoo_sub_' || oid as sub1, 'zoo ''s ' || oid as sub2 from pg_database where datname = current_database() \gset
create subscription :"sub1" connection 'host=nowhere dbname=''a b'' password=x\\y' publication p, "P ""x""" with (connect = false);
create subscription :"sub2" connection 'host=nowhere' publication p with (connect = false, slot_name = none, enabled = false, create_slot = false, synchronous_commit = 'remote_apply');
comment on subscription :"sub1" is 'a subscription';
\if :v14
alter subscription :"sub2" set (binary = true, streaming = on);
\endif
\if :v15
alter subscription :"sub1" set (disable_on_error = true);
\endif
\if :v16
alter subscription :"sub1" set (origin = none, run_as_owner = true, password_required = false, streaming = parallel);
\endif
