-- Default privileges. Those of the whole database replace the built-in ones and are dumped as differences from these;
-- those of a schema only add to them.
select d.oid,
       d.defaclnamespace,
       pg_catalog.pg_get_userbyid(d.defaclrole) as role,
       d.defaclobjtype,
       d.defaclacl as acl,
       case
           when d.defaclnamespace = 0
               then pg_catalog.acldefault(
                   case when d.defaclobjtype = 'S' then 's'::"char" else d.defaclobjtype end, d.defaclrole)
           else '{}'
       end as acl_default
from pg_catalog.pg_default_acl d
order by d.oid
