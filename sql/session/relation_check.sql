-- After the lock: which of the names no longer mean the relation that was meant.
select wanted.position as position
from unnest($1::pg_catalog.text[], $2::pg_catalog.oid[]) with ordinality as wanted (name, oid, position)
where pg_catalog.to_regclass(wanted.name)::pg_catalog.oid is distinct from wanted.oid
order by wanted.position
limit 1
