-- Which extension made which object.
select d.classid,
       d.objid,
       d.refobjid
from pg_catalog.pg_depend d
where d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  and d.deptype = 'e'
order by d.refobjid
