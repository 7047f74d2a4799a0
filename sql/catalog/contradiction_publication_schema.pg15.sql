-- Publications' schemas of which one of the two is not there; in the form of contradiction.sql.
select p.tableoid as classid,
       p.tableoid::pg_catalog.regclass as catalog,
       p.oid,
       0 as schema_oid,
       0 as relation_oid,
       coalesce(b.pubname::pg_catalog.text, n.nspname::pg_catalog.text, '?') as name,
       r.refclassid::pg_catalog.regclass as referenced_catalog,
       r.refobjid as referenced_oid
from pg_catalog.pg_publication_namespace p
left join pg_catalog.pg_namespace n on n.oid = p.pnnspid
left join pg_catalog.pg_publication b on b.oid = p.pnpubid
cross join lateral (values
    (n.oid is null, 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, p.pnnspid),
    (b.oid is null, 'pg_catalog.pg_publication'::pg_catalog.regclass, p.pnpubid)
) as r(is_missing, refclassid, refobjid)
where r.is_missing
order by 3, 8
