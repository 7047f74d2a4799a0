-- Scratch databases of drills that died: our name, no session, and our comment ($1). A drill that was killed before it could
-- write the comment leaves none: then the time in the name has to be an hour ago.
select d.datname as name
from pg_catalog.pg_database d
where d.datname like 'pgproof\_drill\_%'
  and not exists (select from pg_catalog.pg_stat_activity a where a.datid = d.oid and a.backend_type <> 'autovacuum worker')
  and case
          when pg_catalog.shobj_description(d.oid, 'pg_database') is not null
              then pg_catalog.shobj_description(d.oid, 'pg_database') = $1
          when d.datname ~ '^pgproof_drill_[0-9]{14}_[0-9a-f]{8}$'
              then pg_catalog.to_timestamp(pg_catalog.substr(d.datname, 15, 14), 'YYYYMMDDHH24MISS')::timestamp at time zone 'UTC'
                  < pg_catalog.now() - interval '1 hour'
          else false
      end
order by d.datname
