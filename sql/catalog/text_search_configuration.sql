-- Every text search configuration that initdb did not make (its oids end at 16383) or that was moved out of pg_catalog.
select c.oid,
       c.cfgname,
       c.cfgnamespace,
       pg_catalog.pg_get_userbyid(c.cfgowner) as owner,
       n.nspname as parser_schema,
       p.prsname as parser_name
from pg_catalog.pg_ts_config c
join pg_catalog.pg_ts_parser p on p.oid = c.cfgparser
join pg_catalog.pg_namespace n on n.oid = p.prsnamespace
where c.oid > 16383 or c.cfgnamespace <> 'pg_catalog'::pg_catalog.regnamespace
