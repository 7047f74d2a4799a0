-- Which role belongs to which. Before 16 the server does not look after who granted that: the role may be gone, or may not
-- grant it any more.
select r.rolname as role,
       u.rolname as member,
       null::pg_catalog.text as grantor,
       false as is_by_first,
       m.admin_option,
       null::pg_catalog.bool as inherit_option,
       null::pg_catalog.bool as set_option
from pg_catalog.pg_auth_members m
join pg_catalog.pg_roles r on r.oid = m.roleid
join pg_catalog.pg_roles u on u.oid = m.member
where not (r.rolname ~ '^pg_' and u.rolname ~ '^pg_')
order by r.rolname collate "C", u.rolname collate "C"
