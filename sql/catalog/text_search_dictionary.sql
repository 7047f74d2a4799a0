-- Every text search dictionary that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select d.oid,
       d.dictname,
       d.dictnamespace,
       pg_catalog.pg_get_userbyid(d.dictowner) as owner,
       n.nspname as template_schema,
       t.tmplname as template_name,
       d.dictinitoption
from pg_catalog.pg_ts_dict d
join pg_catalog.pg_ts_template t on t.oid = d.dicttemplate
join pg_catalog.pg_namespace n on n.oid = t.tmplnamespace
where d.oid > 16383 or d.dictnamespace <> 'pg_catalog'::pg_catalog.regnamespace
