-- What another session is at, asked where it seems to be silent. A session whose row is not there is over.
select
    server.start operator(pg_catalog.=) $2::pg_catalog.int8 as same_server,
    activity.pid is not null as present,
    -- it waits for us to say something, or to take what it says
    coalesce(activity.wait_event operator(pg_catalog.=) any (array['ClientRead', 'ClientWrite']), false) as waits_for_client,
    coalesce(activity.wait_event, activity.state, 'unknown') as doing
from (
    select (extract(epoch from pg_catalog.pg_postmaster_start_time()) operator(pg_catalog.*) 1000)::pg_catalog.int8 as start
) as server
left join pg_catalog.pg_stat_activity as activity on activity.pid operator(pg_catalog.=) $1::pg_catalog.int4
