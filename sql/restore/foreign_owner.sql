-- Roles that the session's role cannot become, and so cannot make owners of anything: from 16 on that is a right of its own.
select role.rolname as name
from pg_catalog.pg_roles as role
where role.rolname = any ($1::pg_catalog.text[])
    and not pg_catalog.pg_has_role(
        role.oid,
        case when pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 160000 then 'SET' else 'MEMBER' end
    )
order by role.rolname
