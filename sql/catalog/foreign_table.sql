-- The servers and options of the foreign tables among the relations that are asked about.
select ft.ftrelid,
       s.srvname,
       array(
           select pg_catalog.quote_ident(o.option_name) || ' ' || pg_catalog.quote_literal(o.option_value)
           from pg_catalog.pg_options_to_table(ft.ftoptions) o
           order by o.option_name
       ) as options
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_foreign_table ft on ft.ftrelid = wanted.oid
join pg_catalog.pg_foreign_server s on s.oid = ft.ftserver
