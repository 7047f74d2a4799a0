-- Which of these tables have other storage than the snapshot knows: truncated or rewritten by a transaction that the snapshot does
-- not see. Rows that it removed are gone for every snapshot. pg_class is read under the snapshot, the function looks at the
-- present. $1 are tables that the session has locked.
select wanted.position as position
from unnest($1::pg_catalog.oid[]) with ordinality as wanted (oid, position)
join pg_catalog.pg_class as class on class.oid = wanted.oid
where class.relkind in ('r', 'm')
    and class.relfilenode is distinct from pg_catalog.pg_relation_filenode(class.oid)::pg_catalog.oid
order by wanted.position
limit 1
