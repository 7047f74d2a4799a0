-- Which tables are published by which publication, which of their columns and which rows.
select r.oid,
       r.prpubid,
       r.prrelid,
       pg_catalog.pg_get_expr(r.prqual, r.prrelid) as row_filter,
       case when r.prattrs is not null then array(
           select a.attname
           from pg_catalog.unnest(r.prattrs::pg_catalog.int2[]) with ordinality as k(attnum, place)
           join pg_catalog.pg_attribute a on a.attrelid = r.prrelid and a.attnum = k.attnum
           order by k.place
       ) end as columns
from pg_catalog.pg_publication_rel r
