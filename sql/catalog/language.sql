-- Every procedural language; internal, c and sql are none.
select l.oid,
       l.lanname,
       pg_catalog.pg_get_userbyid(l.lanowner) as owner,
       l.lanacl as acl,
       pg_catalog.acldefault('l', l.lanowner) as acl_default,
       l.lanpltrusted,
       l.lanplcallfoid,
       l.laninline,
       l.lanvalidator
from pg_catalog.pg_language l
where l.lanispl
order by l.oid
