-- The options of the sequences among the relations that are asked about.
select s.seqrelid,
       pg_catalog.format_type(s.seqtypid, null) as type_name,
       s.seqstart,
       s.seqincrement,
       s.seqmax,
       s.seqmin,
       s.seqcache,
       s.seqcycle
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_sequence s on s.seqrelid = wanted.oid
