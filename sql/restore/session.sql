-- Pins what loading depends on. A setting that this server does not have is passed over.
select pg_catalog.set_config(setting.name, wanted.value, false) as value
from (values
    ('client_encoding', $1),
    ('standard_conforming_strings', $2),
    ('lc_monetary', coalesce($3, pg_catalog.current_setting('lc_monetary'))),
    ('statement_timeout', '0'),
    ('lock_timeout', '0'),
    ('idle_in_transaction_session_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('transaction_timeout', '0'),
    -- bodies may name what is created later
    ('check_function_bodies', 'false'),
    ('xmloption', 'content'),
    ('client_min_messages', 'warning'),
    ('row_security', $4),
    -- the form that dumps are written in
    ('datestyle', 'ISO'),
    ('intervalstyle', 'postgres'),
    -- one wait for the disk at the end in place of one a statement
    ('synchronous_commit', 'off')
) as wanted (name, value)
join pg_catalog.pg_settings as setting
    on pg_catalog.lower(setting.name) operator(pg_catalog.=) wanted.name
