-- Bytes of large objects that have no row in pg_largeobject_metadata: no dump has them. Each number is looked for behind the one
-- before it in the index: a large object may have very many rows.
with recursive held(loid) as (
    (select l.loid from pg_catalog.pg_largeobject l order by l.loid limit 1)
    union all
    select (select l.loid from pg_catalog.pg_largeobject l where l.loid > h.loid order by l.loid limit 1)
    from held h
    where h.loid is not null
)
select 'pg_catalog.pg_largeobject'::pg_catalog.regclass::pg_catalog.oid as classid,
       'pg_catalog.pg_largeobject'::pg_catalog.regclass as catalog,
       h.loid as oid,
       0 as schema_oid,
       0 as relation_oid,
       'large object ' || h.loid::pg_catalog.text as name,
       'pg_catalog.pg_largeobject_metadata'::pg_catalog.regclass as referenced_catalog,
       null as referenced_oid
from held h
where h.loid is not null
  and not exists (select from pg_catalog.pg_largeobject_metadata m where m.oid = h.loid)
order by h.loid
