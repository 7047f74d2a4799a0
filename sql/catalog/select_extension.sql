-- The extensions that each of the patterns $1 means.
select p.number,
       e.oid
from pg_catalog.unnest($1::pg_catalog.text[]) with ordinality as p (pattern, number)
join pg_catalog.pg_extension e on e.extname operator(pg_catalog.~) (p.pattern collate pg_catalog."default")
