-- What makes these aggregates.
select p.oid,
       pg_catalog.pg_get_function_arguments(p.oid) as arguments,
       pg_catalog.pg_get_function_identity_arguments(p.oid) as identity_arguments,
       a.aggkind,
       a.aggtransfn,
       a.aggtranstype::pg_catalog.regtype,
       a.aggtransspace,
       a.agginitval,
       a.aggfinalfn,
       a.aggfinalextra,
       a.aggfinalmodify,
       a.aggmtransfn,
       a.aggminvtransfn,
       a.aggmtranstype::pg_catalog.regtype,
       a.aggmtransspace,
       a.aggminitval,
       a.aggmfinalfn,
       a.aggmfinalextra,
       a.aggmfinalmodify,
       a.aggcombinefn,
       a.aggserialfn,
       a.aggdeserialfn,
       n.nspname as sort_schema,
       o.oprname as sort_name,
       p.proparallel
from pg_catalog.pg_proc p
join pg_catalog.pg_aggregate a on a.aggfnoid = p.oid
left join pg_catalog.pg_operator o on o.oid = a.aggsortop
left join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
where p.oid = any ($1::pg_catalog.oid[])
