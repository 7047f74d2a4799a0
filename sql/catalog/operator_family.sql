-- Every operator family that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select f.oid,
       f.opfname,
       f.opfnamespace,
       pg_catalog.pg_get_userbyid(f.opfowner) as owner,
       m.amname
from pg_catalog.pg_opfamily f
join pg_catalog.pg_am m on m.oid = f.opfmethod
where f.oid > 16383 or f.opfnamespace <> 'pg_catalog'::pg_catalog.regnamespace
