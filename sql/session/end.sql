-- Ends a session of ours that cannot be reached any more, so that it does not keep its locks and its snapshot.
select pg_catalog.pg_terminate_backend(activity.pid) as ended
from pg_catalog.pg_stat_activity as activity
where activity.pid operator(pg_catalog.=) $1::pg_catalog.int4
    and (extract(epoch from pg_catalog.pg_postmaster_start_time()) operator(pg_catalog.*) 1000)::pg_catalog.int8
        operator(pg_catalog.=) $2::pg_catalog.int8
    and activity.usename operator(pg_catalog.=) session_user
