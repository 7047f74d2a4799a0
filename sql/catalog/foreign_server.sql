-- Every foreign server, its options as SQL by name.
select s.oid,
       s.srvname,
       pg_catalog.pg_get_userbyid(s.srvowner) as owner,
       s.srvacl as acl,
       pg_catalog.acldefault('S', s.srvowner) as acl_default,
       w.fdwname,
       s.srvtype,
       s.srvversion,
       pg_catalog.array_to_string(
           array(select pg_catalog.quote_ident(o.option_name) || ' ' || pg_catalog.quote_literal(o.option_value)
                 from pg_catalog.pg_options_to_table(s.srvoptions) o
                 order by o.option_name),
           e',\n    ') as options
from pg_catalog.pg_foreign_server s
join pg_catalog.pg_foreign_data_wrapper w on w.oid = s.srvfdw
