-- The subscriptions of this database, for roles that may not read how their publishers are reached.
select s.subname,
       pg_catalog.pg_get_userbyid(s.subowner) as owner
from pg_catalog.pg_subscription s
where s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
