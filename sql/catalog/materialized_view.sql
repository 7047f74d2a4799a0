-- Which materialized view reads from which other, through any number of views.
with recursive reads as (
    select distinct r.ev_class as reader, d.refobjid as source
    from pg_catalog.pg_rewrite r
    join pg_catalog.pg_class c on c.oid = r.ev_class and c.relkind in ('v', 'm')
    join pg_catalog.pg_depend d
        on d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass
        and d.objid = r.oid
        and d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        and d.refobjid <> r.ev_class
    join pg_catalog.pg_class s on s.oid = d.refobjid and s.relkind in ('v', 'm')
),
reached as (
    select reads.reader, reads.source
    from reads
    join pg_catalog.pg_class c on c.oid = reads.reader and c.relkind = 'm'
    union
    select reached.reader, reads.source
    from reached
    join reads on reads.reader = reached.source
)
select reached.reader,
       reached.source
from reached
join pg_catalog.pg_class c on c.oid = reached.source and c.relkind = 'm'
order by reached.reader, reached.source
