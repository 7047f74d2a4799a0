-- Takes back what the role or its database is set to and a drill cannot work under. A setting that this server does not have is
-- passed over.
select pg_catalog.set_config(setting.name, wanted.value, false) as value
from (values
    ('default_transaction_read_only', 'off'),
    ('default_transaction_isolation', 'read committed'),
    ('default_tablespace', ''),
    ('lock_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('transaction_timeout', '0'),
    ('client_min_messages', 'warning')
) as wanted (name, value)
join pg_catalog.pg_settings as setting on setting.name operator(pg_catalog.=) wanted.name
