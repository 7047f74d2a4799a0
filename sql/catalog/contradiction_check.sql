-- Tables that have more or fewer check constraints than they say; in the form of contradiction.sql. Later servers than 13 let
-- them be counted when they are read: 13 says nothing of a table that lacks one.
select c.tableoid as classid,
       c.tableoid::pg_catalog.regclass as catalog,
       c.oid,
       c.relnamespace as schema_oid,
       c.oid as relation_oid,
       pg_catalog.format('%s with %s check constraints', c.relname, c.relchecks) as name,
       'pg_catalog.pg_constraint'::pg_catalog.regclass as referenced_catalog,
       null::pg_catalog.oid as referenced_oid
from pg_catalog.pg_class c
left join (
    select k.conrelid, pg_catalog.count(*) as check_count
    from pg_catalog.pg_constraint k
    where k.contype = 'c'
    group by k.conrelid
) k on k.conrelid = c.oid
where c.oid > 16383
  and c.relchecks <> coalesce(k.check_count, 0)
order by 3
