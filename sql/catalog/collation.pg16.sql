-- Every collation that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select c.oid,
       c.collname,
       c.collnamespace,
       pg_catalog.pg_get_userbyid(c.collowner) as owner,
       c.collprovider,
       c.collisdeterministic,
       c.collcollate,
       c.collctype,
       c.colliculocale as locale,
       c.collicurules as rules
from pg_catalog.pg_collation c
where (c.oid > 16383 or c.collnamespace <> 'pg_catalog'::pg_catalog.regnamespace)
  and c.collprovider in ('d', 'b', 'c', 'i')
