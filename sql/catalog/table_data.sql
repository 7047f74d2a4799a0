-- Which table's rows refer to which other's.
select distinct c.conrelid,
       c.confrelid
from pg_catalog.pg_constraint c
where c.contype = 'f'
  and c.conrelid <> c.confrelid
order by 1, 2
