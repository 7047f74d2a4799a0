-- Every foreign-data wrapper, its options as SQL by name.
select w.oid,
       w.fdwname,
       pg_catalog.pg_get_userbyid(w.fdwowner) as owner,
       w.fdwacl as acl,
       pg_catalog.acldefault('F', w.fdwowner) as acl_default,
       w.fdwhandler::pg_catalog.regproc as handler_function,
       w.fdwvalidator::pg_catalog.regproc as validator_function,
       pg_catalog.array_to_string(
           array(select pg_catalog.quote_ident(o.option_name) || ' ' || pg_catalog.quote_literal(o.option_value)
                 from pg_catalog.pg_options_to_table(w.fdwoptions) o
                 order by o.option_name),
           e',\n    ') as options
from pg_catalog.pg_foreign_data_wrapper w
