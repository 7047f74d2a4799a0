-- What makes these functions.
select p.oid,
       pg_catalog.pg_get_function_arguments(p.oid) as arguments,
       pg_catalog.pg_get_function_identity_arguments(p.oid) as identity_arguments,
       pg_catalog.pg_get_function_result(p.oid) as result,
       p.proretset,
       l.lanname,
       p.protrftypes,
       p.prokind,
       p.provolatile,
       p.proisstrict,
       p.prosecdef,
       p.proleakproof,
       p.procost,
       p.prorows,
       p.prosupport,
       p.proparallel,
       p.proconfig,
       p.prosrc,
       p.probin,
       null as sql_body
from pg_catalog.pg_proc p
join pg_catalog.pg_language l on l.oid = p.prolang
where p.oid = any ($1::pg_catalog.oid[])
  and p.prokind <> 'a'
