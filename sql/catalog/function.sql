-- Every function and procedure that may matter: outside pg_catalog, or used by a cast or transform that a user made
-- (oids from 16384 on), or with rights other than initdb gave. What comes with another object, as a range type's
-- constructors do, is left out.
select p.oid,
       p.proname,
       p.pronamespace,
       pg_catalog.pg_get_userbyid(p.proowner) as owner,
       p.proacl as acl,
       pg_catalog.acldefault('f', p.proowner) as acl_default,
       p.proargtypes,
       p.prokind
from pg_catalog.pg_proc p
left join pg_catalog.pg_init_privs i
       on i.objoid = p.oid and i.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass and i.objsubid = 0
where p.prokind in ('f', 'p', 'w')
  and not exists (select
                  from pg_catalog.pg_depend d
                  where d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and d.objid = p.oid and d.deptype = 'i')
  and (p.pronamespace <> 'pg_catalog'::pg_catalog.regnamespace
       or p.oid in (select c.castfunc from pg_catalog.pg_cast c where c.oid > 16383)
       or p.oid in (select t.trffromsql from pg_catalog.pg_transform t where t.oid > 16383)
       or p.oid in (select t.trftosql from pg_catalog.pg_transform t where t.oid > 16383)
       or p.proacl is distinct from i.initprivs)
