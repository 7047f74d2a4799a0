-- Sessions that wait for a lock which no reader of a table lets through.
select wait.pid as pid,
    wait.relation as oid,
    activity.usename as "user",
    activity.application_name as application,
    pg_catalog.regexp_replace(pg_catalog.substr(activity.query, 1, 200), '\s+', ' ', 'g') as query
from pg_catalog.pg_locks as wait
left join pg_catalog.pg_stat_activity as activity on activity.pid = wait.pid
where not wait.granted
    and wait.locktype = 'relation'
    and wait.mode = 'AccessExclusiveLock'
    and wait.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
order by wait.pid
