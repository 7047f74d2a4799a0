-- Who holds or awaits a lock that keeps us from reading one of these tables.
select
    relation.oid as oid,
    lock.pid as pid,
    lock.granted as granted,
    activity.state as state,
    pg_catalog.floor(extract(epoch from pg_catalog.clock_timestamp() - activity.query_start))::pg_catalog.int8
        as query_seconds,
    pg_catalog.floor(extract(epoch from pg_catalog.clock_timestamp() - activity.xact_start))::pg_catalog.int8
        as transaction_seconds
from pg_catalog.pg_locks as lock
join pg_catalog.pg_class as relation on relation.oid = lock.relation
left join pg_catalog.pg_stat_activity as activity on activity.pid = lock.pid
where lock.locktype = 'relation'
    and lock.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
    and lock.mode = 'AccessExclusiveLock'
    and lock.pid <> pg_catalog.pg_backend_pid()
    and relation.oid = any ($1::pg_catalog.oid[])
order by lock.granted desc, activity.xact_start
limit 1
