-- Every role but the built-in ones, with what is set for its sessions in all databases.
select r.rolname,
       r.rolsuper,
       r.rolinherit,
       r.rolcreaterole,
       r.rolcreatedb,
       r.rolcanlogin,
       r.rolreplication,
       r.rolbypassrls,
       r.rolconnlimit,
       null::pg_catalog.text as password,
       case when r.rolvaliduntil <> 'infinity' then r.rolvaliduntil end as rolvaliduntil,
       pg_catalog.shobj_description(r.oid, 'pg_authid') as comment,
       labels.providers as label_providers,
       labels.labels as labels,
       s.setconfig as settings
from pg_catalog.pg_roles r
left join pg_catalog.pg_db_role_setting s on s.setrole = r.oid and s.setdatabase = 0
cross join lateral (
    select pg_catalog.array_agg(l.provider order by l.provider) as providers,
           pg_catalog.array_agg(l.label order by l.provider) as labels
    from pg_catalog.pg_shseclabel l
    where l.classoid = 'pg_catalog.pg_authid'::pg_catalog.regclass and l.objoid = r.oid
) labels
where r.rolname !~ '^pg_'
order by r.rolname collate "C"
