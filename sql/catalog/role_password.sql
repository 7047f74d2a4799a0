-- Every role but the built-in ones, with what is set for its sessions in all databases; with the hashes of the passwords, which only a superuser may read.
select r.rolname,
       r.rolsuper,
       r.rolinherit,
       r.rolcreaterole,
       r.rolcreatedb,
       r.rolcanlogin,
       r.rolreplication,
       r.rolbypassrls,
       r.rolconnlimit,
       r.rolpassword as password,
       case when r.rolvaliduntil <> 'infinity' then r.rolvaliduntil end as rolvaliduntil,
       pg_catalog.shobj_description(r.oid, 'pg_authid') as comment,
       s.setconfig as settings
from pg_catalog.pg_authid r
left join pg_catalog.pg_db_role_setting s on s.setrole = r.oid and s.setdatabase = 0
where r.rolname !~ '^pg_'
order by r.rolname collate "C"
