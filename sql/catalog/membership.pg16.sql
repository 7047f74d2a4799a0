-- Which role belongs to which. The role that initdb made may grant all; every other needs a right of its own.
select r.rolname as role,
       u.rolname as member,
       g.rolname as grantor,
       m.grantor = 10 as is_by_first,
       m.admin_option,
       m.inherit_option as inherit_option,
       m.set_option as set_option
from pg_catalog.pg_auth_members m
join pg_catalog.pg_roles r on r.oid = m.roleid
join pg_catalog.pg_roles u on u.oid = m.member
left join pg_catalog.pg_roles g on g.oid = m.grantor
where not (r.rolname ~ '^pg_' and u.rolname ~ '^pg_')
order by r.rolname collate "C", u.rolname collate "C", g.rolname collate "C"
