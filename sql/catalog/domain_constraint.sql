-- The constraints of these domains, by name; not-null constraints are rows from 17 on.
select c.oid,
       c.contypid,
       c.conname,
       c.contype,
       c.convalidated,
       pg_catalog.pg_get_constraintdef(c.oid) as definition
from pg_catalog.pg_constraint c
where c.contypid = any ($1::pg_catalog.oid[])
order by c.contypid, c.conname
