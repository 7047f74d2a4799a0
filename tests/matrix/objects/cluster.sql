-- What belongs to the whole server, made once: tests run beside each other, and nobody drops it.
\set ON_ERROR_STOP on
select pg_advisory_lock(20261121);
select format('create role %I', name) from unnest(array['matrix_owner', 'matrix_reader', 'matrix_writer']) name
where not exists (select from pg_roles where rolname = name) \gexec
-- before 15 a tablespace needs a folder of its own, which only the server can make for itself
select current_setting('server_version_num')::int < 150000 as needs_folder \gset
\if :needs_folder
copy (select 1) to program 'mkdir -p -m 700 matrix_space matrix_attic';
\endif
select format('create tablespace %I location %L', name,
    case when :'needs_folder' then current_setting('data_directory') || '/' || name else '' end)
from unnest(array['matrix_space', 'matrix_attic']) name
where not exists (select from pg_tablespace where spcname = name) \gexec
