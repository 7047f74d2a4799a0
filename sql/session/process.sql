-- Which process serves this session, and of which start of which server it is: both are needed to ask for it over another session.
select
    pg_catalog.pg_backend_pid() as pid,
    (extract(epoch from pg_catalog.pg_postmaster_start_time()) operator(pg_catalog.*) 1000)::pg_catalog.int8 as server_start
