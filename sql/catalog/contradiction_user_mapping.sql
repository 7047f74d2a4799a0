-- User mappings without their server or their role; in the form of contradiction.sql. The view that everybody may read does not
-- have them.
select m.tableoid as classid,
       m.tableoid::pg_catalog.regclass as catalog,
       m.oid,
       0 as schema_oid,
       0 as relation_oid,
       pg_catalog.format('of role %s for server %s', o.rolname, s.srvname) as name,
       r.refclassid::pg_catalog.regclass as referenced_catalog,
       r.refobjid as referenced_oid
from pg_catalog.pg_user_mapping m
left join pg_catalog.pg_foreign_server s on s.oid = m.umserver
left join pg_catalog.pg_roles o on o.oid = m.umuser
cross join lateral (values
    (s.oid is null, 'pg_catalog.pg_foreign_server'::pg_catalog.regclass::pg_catalog.oid, m.umserver),
    (o.oid is null and m.umuser <> 0, 'pg_catalog.pg_authid'::pg_catalog.regclass, m.umuser)
) as r(is_missing, refclassid, refobjid)
where r.is_missing
order by 3, 8
