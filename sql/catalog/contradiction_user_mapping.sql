-- User mappings without their server; in the form of contradiction.sql. The view that everybody may read does not have them.
select m.tableoid as classid,
       m.tableoid::pg_catalog.regclass as catalog,
       m.oid,
       0 as schema_oid,
       0 as relation_oid,
       coalesce('of role ' || o.rolname, 'of everybody') as name,
       'pg_catalog.pg_foreign_server'::pg_catalog.regclass as referenced_catalog,
       m.umserver as referenced_oid
from pg_catalog.pg_user_mapping m
left join pg_catalog.pg_roles o on o.oid = m.umuser
where not exists (select from pg_catalog.pg_foreign_server s where s.oid = m.umserver)
order by 3
