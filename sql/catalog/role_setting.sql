-- What is set for all roles in all databases.
select c.setting
from pg_catalog.pg_db_role_setting s
cross join lateral pg_catalog.unnest(s.setconfig) with ordinality as c (setting, number)
where s.setrole = 0 and s.setdatabase = 0
order by c.number
