-- Every conversion that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select c.oid,
       c.conname,
       c.connamespace,
       pg_catalog.pg_get_userbyid(c.conowner) as owner,
       pg_catalog.pg_encoding_to_char(c.conforencoding) as source,
       pg_catalog.pg_encoding_to_char(c.contoencoding) as target,
       c.conproc,
       c.condefault
from pg_catalog.pg_conversion c
where c.oid > 16383 or c.connamespace <> 'pg_catalog'::pg_catalog.regnamespace
