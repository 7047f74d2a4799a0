-- The sequences that no extension made.
select s.seqrelid as oid,
       n.nspname as schema,
       c.relname as name,
       pg_catalog.pg_get_userbyid(c.relowner) as owner,
       pg_catalog.format_type(s.seqtypid, null) as data_type,
       s.seqstart as start,
       s.seqincrement as increment,
       s.seqmin as minimum,
       s.seqmax as maximum,
       s.seqcycle as cycle,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(c.relacl) as item) as acl,
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(pg_catalog.acldefault('s', c.relowner)) as item) as acl_default
from pg_catalog.pg_sequence s
join pg_catalog.pg_class c on c.oid = s.seqrelid
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relpersistence <> 't'
  and n.nspname !~ '^pg_'
  and n.nspname <> 'information_schema'
  and not exists (select from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.objsubid = 0
                    and d.deptype = 'e')
order by n.nspname collate "C", c.relname collate "C"
