-- The constraints of these relations; that a column is not null is told with the column.
select k.conrelid as relation,
       k.conname as name,
       pg_catalog.pg_get_constraintdef(k.oid) as definition,
       k.convalidated as validated,
       k.contype = 'f' and k.conparentid <> 0 as inherited
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted (relation)
join pg_catalog.pg_constraint k on k.conrelid = wanted.relation
where k.contype in ('c', 'f', 'p', 'u', 'x')
order by k.conrelid, k.conname collate "C"
