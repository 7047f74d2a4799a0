-- What the extended statistics objects that are asked about collect.
select s.oid,
       pg_catalog.pg_get_statisticsobjdef(s.oid) as definition
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_statistic_ext s on s.oid = wanted.oid
