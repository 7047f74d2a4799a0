-- What these range types are made of; operator class and collation only where they are not the subtype's own.
select r.rngtypid as oid,
       pg_catalog.format_type(r.rngsubtype, null) as subtype,
       pg_catalog.format_type(r.rngmultitypid, null) as multirange,
       cn.nspname as opcnamespace,
       c.opcname,
       ln.nspname as collnamespace,
       l.collname,
       r.rngcanonical,
       r.rngsubdiff
from pg_catalog.pg_range r
join pg_catalog.pg_type s on s.oid = r.rngsubtype
left join pg_catalog.pg_opclass c on c.oid = r.rngsubopc and not c.opcdefault
left join pg_catalog.pg_namespace cn on cn.oid = c.opcnamespace
left join pg_catalog.pg_collation l on l.oid = r.rngcollation and r.rngcollation <> s.typcollation
left join pg_catalog.pg_namespace ln on ln.oid = l.collnamespace
where r.rngtypid = any ($1::pg_catalog.oid[])
order by r.rngtypid
