-- Every schema: what lies in it is dumped or not by its name.
select n.oid,
       n.nspname,
       n.nspowner,
       pg_catalog.pg_get_userbyid(n.nspowner) as owner,
       n.nspacl as acl,
       pg_catalog.acldefault('n', n.nspowner) as acl_default
from pg_catalog.pg_namespace n
