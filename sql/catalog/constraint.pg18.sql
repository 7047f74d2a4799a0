-- The constraints of the relations that are asked about. A foreign key that a partition has from its parent is none of
-- its own; a valid not-null constraint is read with its column.
select c.oid,
       c.conname,
       c.conrelid,
       c.contype,
       c.condeferrable,
       c.condeferred,
       c.conislocal,
       c.convalidated,
       c.conindid,
       c.confrelid,
       c.conperiod as conperiod,
       case when c.contype not in ('p', 'u') then pg_catalog.pg_get_constraintdef(c.oid) end as definition
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_constraint c on c.conrelid = wanted.oid
where c.contype in ('c', 'p', 'u', 'x')
   or (c.contype = 'f' and c.conparentid = 0)
   or (c.contype = 'n' and not c.convalidated)
order by c.conrelid, c.conname, c.oid
