-- What is true of the whole database and of this session.
select pg_catalog.current_setting('server_version_num') as version,
       pg_catalog.current_setting('client_encoding') as encoding,
       pg_catalog.current_setting('standard_conforming_strings') as standard_conforming_strings,
       pg_catalog.current_setting('quote_all_identifiers') as quote_all_identifiers,
       d.datname as database,
       pg_catalog.has_column_privilege('pg_catalog.pg_subscription', 'subconninfo', 'select') as reads_subscriptions,
       pg_catalog.has_table_privilege('pg_catalog.pg_user_mapping', 'select') as reads_user_mappings,
       pg_catalog.has_table_privilege('pg_catalog.pg_largeobject', 'select') as reads_large_objects
from pg_catalog.pg_database d
where d.datname = pg_catalog.current_database()
