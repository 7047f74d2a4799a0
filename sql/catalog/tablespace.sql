-- Every tablespace but the built-in ones.
select t.spcname,
       pg_catalog.pg_get_userbyid(t.spcowner) as owner,
       pg_catalog.pg_tablespace_location(t.oid) as location,
       t.spcoptions as options,
       t.spcacl as acl,
       pg_catalog.acldefault('t', t.spcowner) as acl_default,
       pg_catalog.shobj_description(t.oid, 'pg_tablespace') as comment
from pg_catalog.pg_tablespace t
where t.spcname !~ '^pg_'
order by t.spcname collate "C"
