-- Where the sequences among the relations that are asked about stand.
select s.seqrelid as oid,
       state.last_value,
       state.is_called
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_sequence s on s.seqrelid = wanted.oid
cross join lateral pg_catalog.pg_get_sequence_data(s.seqrelid) state
