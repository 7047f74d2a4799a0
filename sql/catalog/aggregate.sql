-- Every aggregate outside pg_catalog, or with rights other than initdb gave.
select p.oid,
       p.proname,
       p.pronamespace,
       pg_catalog.pg_get_userbyid(p.proowner) as owner,
       p.proacl as acl,
       pg_catalog.acldefault('f', p.proowner) as acl_default,
       p.proargtypes
from pg_catalog.pg_proc p
left join pg_catalog.pg_init_privs i
       on i.objoid = p.oid and i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and i.objsubid = 0
where p.prokind = 'a'
  and (p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace or p.proacl is distinct from i.initprivs)
