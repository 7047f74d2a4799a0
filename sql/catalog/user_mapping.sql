-- Every user mapping, from the view that everybody may read: options that the session has no right to see are empty,
-- and so is the name of a role that is gone.
select m.srvid,
       m.umid,
       m.umuser,
       m.usename,
       pg_catalog.array_to_string(
           array(select pg_catalog.quote_ident(o.option_name) || ' ' || pg_catalog.quote_literal(o.option_value)
                 from pg_catalog.pg_options_to_table(m.umoptions) o
                 order by o.option_name),
           e',\n    ') as options
from pg_catalog.pg_user_mappings m
order by m.srvid, m.usename
