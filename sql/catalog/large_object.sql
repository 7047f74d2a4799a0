-- Large objects, those with one owner and one ACL together, a thousand in a row: a database may have millions.
select pg_catalog.string_agg(m.oid::pg_catalog.text, ' ' order by m.oid) as oids,
       pg_catalog.pg_get_userbyid(m.lomowner) as owner,
       m.acl::pg_catalog.aclitem[] as acl,
       pg_catalog.acldefault('L', m.lomowner) as acl_default
from (
    select oid,
           lomowner,
           lomacl::pg_catalog.text as acl,
           (pg_catalog.row_number() over (partition by lomowner, lomacl::pg_catalog.text order by oid) - 1) / 1000 as part
    from pg_catalog.pg_largeobject_metadata
) m
group by m.lomowner, m.acl, m.part
order by m.lomowner, m.acl, m.part
