-- Roles that drills made and that no scratch database needs any more: our comment ($1) is enough to know them. Databases that were
-- kept ($2) have kept their roles, too.
select r.rolname as name
from pg_catalog.pg_roles r
where pg_catalog.shobj_description(r.oid, 'pg_authid') = $1
  and not exists (
      select from pg_catalog.pg_database d
      where d.datname like 'pgproof\_drill\_%'
        and pg_catalog.shobj_description(d.oid, 'pg_database') is distinct from $2
  )
order by r.rolname
