select
    case when pg_catalog.has_function_privilege('pg_catalog.pg_control_system()', 'execute')
        then (select control.system_identifier::pg_catalog.text from pg_catalog.pg_control_system() as control)
    end as system_identifier,
    database.oid as database_oid,
    database.datname as database,
    pg_catalog.pg_encoding_to_char(database.encoding) as encoding,
    database.datcollate as collate,
    database.datctype as ctype,
    pg_catalog.current_setting('server_version_num') as version_number,
    pg_catalog.version() as version_text,
    pg_catalog.pg_is_in_recovery() as in_recovery,
    pg_catalog.current_setting('hot_standby_feedback') as hot_standby_feedback,
    pg_catalog.current_setting('max_standby_streaming_delay') as standby_delay,
    current_user as "user",
    (select role.rolsuper from pg_catalog.pg_roles as role where role.rolname = current_user) as superuser,
    pg_catalog.pg_backend_pid() as process_id
from pg_catalog.pg_database as database
where database.datname = pg_catalog.current_database()
