-- Rights to change server parameters; they are in the name of the role that initdb made.
select p.parname,
       p.paracl as acl,
       pg_catalog.acldefault('p', 10) as acl_default,
       pg_catalog.pg_get_userbyid(10) as owner
from pg_catalog.pg_parameter_acl p
order by p.parname collate "C"
