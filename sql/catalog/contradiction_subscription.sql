-- Subscriptions of this database without their owner; in the form of contradiction.sql. Not every role may read their oids.
select s.tableoid as classid,
       s.tableoid::pg_catalog.regclass as catalog,
       s.oid,
       0 as schema_oid,
       0 as relation_oid,
       s.subname as name,
       'pg_catalog.pg_authid'::pg_catalog.regclass as referenced_catalog,
       s.subowner as referenced_oid
from pg_catalog.pg_subscription s
join pg_catalog.pg_database d on d.oid = s.subdbid and d.datname = pg_catalog.current_database()
where not exists (select from pg_catalog.pg_roles o where o.oid = s.subowner)
order by 3
