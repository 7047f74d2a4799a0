-- The schemas that are the user's, and public.
select n.nspname as schema,
       pg_catalog.pg_get_userbyid(n.nspowner) as owner,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(n.nspacl) as item) as acl,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(pg_catalog.acldefault('n', n.nspowner)) as item) as acl_default
from pg_catalog.pg_namespace n
where n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass and d.objid = n.oid and d.deptype = 'e')
order by n.nspname collate "C"
