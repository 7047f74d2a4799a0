-- The indexes of these relations, those behind constraints too.
select i.indrelid as relation,
       c.relname as name,
       pg_catalog.pg_get_indexdef(i.indexrelid) as definition,
       i.indisvalid as valid,
       c.relkind as kind
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted (relation)
join pg_catalog.pg_index i on i.indrelid = wanted.relation
join pg_catalog.pg_class c on c.oid = i.indexrelid
order by i.indrelid, c.relname collate "C"
