-- The data types that no extension made, without arrays and the row types of relations.
select n.nspname as schema,
       t.typname as name,
       pg_catalog.pg_get_userbyid(t.typowner) as owner,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(t.typacl) as item) as acl,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(pg_catalog.acldefault('T', t.typowner)) as item) as acl_default
from pg_catalog.pg_type t
join pg_catalog.pg_namespace n on n.oid = t.typnamespace
where n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_type element where element.typarray = t.oid)
  and (t.typrelid = 0 or exists (select from pg_catalog.pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
  and not exists (select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass and d.objid = t.oid
                    and (d.deptype = 'e' or (d.deptype = 'i' and t.typtype = 'm')))
order by n.nspname collate "C", t.typname collate "C"
