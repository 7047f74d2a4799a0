-- Every text search parser that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select p.oid,
       p.prsname,
       p.prsnamespace,
       p.prsstart as start_function,
       p.prstoken as token_function,
       p.prsend as end_function,
       p.prsheadline as headline_function,
       p.prslextype as token_types_function
from pg_catalog.pg_ts_parser p
where p.oid > 16383 or p.prsnamespace <> 'pg_catalog'::pg_catalog.regnamespace
