-- What the planner knows of the values in the columns of some relations: $1 has their schemas, $2 their names, $3 their oids.
-- The view lets each role see what it may read. The names are asked for twice because the view is a security barrier: only
-- a plain comparison with a parameter gets inside it, and to the index of the names.
select wanted.number as relation,
       s.attname,
       a.attnum,
       s.inherited,
       s.null_frac,
       s.avg_width,
       s.n_distinct,
       s.most_common_vals::pg_catalog.text as most_common_vals,
       s.most_common_freqs,
       s.histogram_bounds::pg_catalog.text as histogram_bounds,
       s.correlation,
       s.most_common_elems::pg_catalog.text as most_common_elems,
       s.most_common_elem_freqs,
       s.elem_count_histogram,
       s.range_length_histogram::pg_catalog.text as range_length_histogram,
       s.range_empty_frac,
       s.range_bounds_histogram::pg_catalog.text as range_bounds_histogram
from pg_catalog.pg_stats s
join rows from (pg_catalog.unnest($1::pg_catalog.name[]), pg_catalog.unnest($2::pg_catalog.name[]),
                pg_catalog.unnest($3::pg_catalog.oid[])) with ordinality
     as wanted(schemaname, tablename, oid, number)
     on wanted.schemaname = s.schemaname and wanted.tablename = s.tablename
join pg_catalog.pg_attribute a on a.attrelid = wanted.oid and a.attname = s.attname
where s.schemaname = any ($1::pg_catalog.name[]) and s.tablename = any ($2::pg_catalog.name[])
order by wanted.number, s.attname, s.inherited
