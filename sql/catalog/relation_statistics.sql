-- How large the planner takes the relations that are asked about, and their indexes, to be.
select distinct c.oid,
                c.relpages,
                c.reltuples,
                c.relallvisible,
                null::pg_catalog.int4 as relallfrozen
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
left join pg_catalog.pg_index i on i.indrelid = wanted.oid
cross join lateral (values (wanted.oid), (i.indexrelid)) as relation(oid)
join pg_catalog.pg_class c on c.oid = relation.oid
where c.relkind in ('r', 'p', 'm', 'f', 'i', 'I')
order by c.oid
