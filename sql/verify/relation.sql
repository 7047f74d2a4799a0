-- Tables, views, materialized views, foreign tables and composite types that no extension made.
select c.oid,
       n.nspname as schema,
       c.relname as name,
       c.relkind as kind,
       pg_catalog.pg_get_userbyid(c.relowner) as owner,
       c.relrowsecurity as row_security,
       c.relforcerowsecurity as force_row_security,
       c.relispartition as is_partition,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(c.relacl) as item) as acl,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(pg_catalog.acldefault('r', c.relowner)) as item) as acl_default
from pg_catalog.pg_class c
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c')
  and c.relpersistence <> 't'
  and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.objsubid = 0
                    and d.deptype = 'e')
  -- that a composite type is an extension's is told of the type
  and not exists (select from pg_catalog.pg_depend d
                  where c.relkind = 'c'
                    and d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objid = c.reltype and d.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"
