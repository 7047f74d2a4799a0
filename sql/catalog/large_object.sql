-- Large objects, those with one owner and one ACL together.
select m.oid,
       pg_catalog.pg_get_userbyid(m.lomowner) as owner,
       m.lomacl as acl,
       pg_catalog.acldefault('L', m.lomowner) as acl_default
from pg_catalog.pg_largeobject_metadata m
order by m.lomowner, m.lomacl::pg_catalog.text, m.oid
