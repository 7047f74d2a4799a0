-- The functions, procedures and aggregates that neither an extension nor a range type made.
select n.nspname as schema,
       p.proname || '(' || pg_catalog.pg_get_function_identity_arguments(p.oid) || ')' as signature,
       pg_catalog.pg_get_userbyid(p.proowner) as owner,
       p.prosecdef as security_definer,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(p.proacl) as item) as acl,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(pg_catalog.acldefault('f', p.proowner)) as item) as acl_default
from pg_catalog.pg_proc p
join pg_catalog.pg_namespace n on n.oid = p.pronamespace
where n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype in ('e', 'i'))
order by n.nspname collate "C", p.proname collate "C", pg_catalog.pg_get_function_identity_arguments(p.oid) collate "C"
