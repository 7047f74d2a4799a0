-- Roles that drills made and that no scratch database needs any more: our comment ($1) is enough to know them.
select r.rolname as name
from pg_catalog.pg_roles r
where pg_catalog.shobj_description(r.oid, 'pg_authid') = $1
  and not exists (select from pg_catalog.pg_database d where d.datname like 'pgproof\_drill\_%')
order by r.rolname
