-- The constraints of the relations that are asked about. A foreign key that a partition has from its parent is none of
-- its own; triggers that are constraints are read with the triggers.
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
       false as conperiod,
       case when c.contype not in ('p', 'u') then pg_catalog.pg_get_constraintdef(c.oid) end as definition
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_constraint c on c.conrelid = wanted.oid
where c.contype in ('c', 'p', 'u', 'x')
   or (c.contype = 'f' and c.conparentid = 0)
order by c.conrelid, c.conname, c.oid
