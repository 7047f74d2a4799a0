-- Every extended statistics object.
select s.oid,
       s.stxname,
       s.stxnamespace,
       pg_catalog.pg_get_userbyid(s.stxowner) as owner,
       s.stxrelid,
       s.stxstattarget
from pg_catalog.pg_statistic_ext s
