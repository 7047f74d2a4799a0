-- What the target grants by itself on whatever this role creates, one row a right.
select
    schema.nspname as schema,
    setting.defaclobjtype as object_type,
    case when item.grantee = 0 then null else grantee.rolname end as grantee,
    item.grantee = setting.defaclrole as is_owner,
    item.privilege_type as privilege,
    item.is_grantable as grantable,
    owner.rolname as owner
from pg_catalog.pg_default_acl as setting
join pg_catalog.pg_roles as owner on owner.oid = setting.defaclrole
left join pg_catalog.pg_namespace as schema on schema.oid = setting.defaclnamespace
left join lateral pg_catalog.aclexplode(setting.defaclacl) as item on true
left join pg_catalog.pg_roles as grantee on grantee.oid = item.grantee
where owner.rolname = current_user
order by schema.nspname nulls first, setting.defaclobjtype, item.grantee, item.privilege_type
