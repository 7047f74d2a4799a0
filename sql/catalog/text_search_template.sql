-- Every text search template that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select t.oid,
       t.tmplname,
       t.tmplnamespace,
       t.tmplinit as init_function,
       t.tmpllexize as lexize_function
from pg_catalog.pg_ts_template t
where t.oid > 16383 or t.tmplnamespace <> 'pg_catalog'::pg_catalog.regnamespace
