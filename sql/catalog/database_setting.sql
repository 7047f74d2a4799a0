-- What is set for this database, for all roles first.
select r.rolname as role,
       c.setting
from pg_catalog.pg_db_role_setting s
join pg_catalog.pg_database d on d.oid = s.setdatabase
left join pg_catalog.pg_roles r on r.oid = s.setrole
cross join lateral pg_catalog.unnest(s.setconfig) with ordinality as c (setting, number)
where d.datname = pg_catalog.current_database()
  and (s.setrole = 0 or r.rolname is not null)
order by s.setrole <> 0, r.rolname, c.number
