select
    pg_catalog.pg_export_snapshot() as snapshot,
    pg_catalog.pg_backend_pid() as pid,
    case when pg_catalog.pg_is_in_recovery()
        then pg_catalog.pg_last_wal_replay_lsn()
        else pg_catalog.pg_current_wal_insert_lsn()
    end as lsn,
    pg_catalog.to_char(pg_catalog.transaction_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as time,
    pg_catalog.pg_snapshot_xmin(pg_catalog.pg_current_snapshot())::pg_catalog.xid as oldest_running
