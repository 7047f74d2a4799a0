-- Sessions that wait for a lock which no reader of a table lets through: of all tables, or of those that the session with process
-- $1 has locked.
select wait.pid as pid,
    wait.relation as oid,
    wait.relation::pg_catalog.regclass as "table",
    activity.usename as "user",
    activity.application_name as application,
    pg_catalog.regexp_replace(pg_catalog.substr(activity.query, 1, 200), '\s+', ' ', 'g') as query
from pg_catalog.pg_locks as wait
left join pg_catalog.pg_stat_activity as activity on activity.pid = wait.pid
where not wait.granted
    and wait.locktype = 'relation'
    and wait.mode = 'AccessExclusiveLock'
    and wait.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
    and (
        $1::pg_catalog.int4 is null
        or exists (
            select from pg_catalog.pg_locks as held
            where held.pid = $1::pg_catalog.int4
                and held.granted
                and held.locktype = 'relation'
                and held.relation = wait.relation
                and held.database = wait.database
        )
    )
order by wait.pid
