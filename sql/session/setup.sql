-- Pins what the text of definitions and of rows depends on, as pg_dump does. A setting that this server does not have is passed over.
select pg_catalog.set_config(setting.name, wanted.value, false) as value
from (values
    ('client_encoding', $1),
    ('datestyle', 'ISO'),
    ('intervalstyle', 'postgres'),
    ('extra_float_digits', coalesce($4, '3')),
    ('quote_all_identifiers', coalesce($2, pg_catalog.current_setting('quote_all_identifiers'))),
    ('standard_conforming_strings', 'on'),
    -- two dumps of the same table give the same order of rows
    ('synchronize_seqscans', 'off'),
    -- a dump takes as long as it takes
    ('statement_timeout', '0'),
    ('lock_timeout', '0'),
    -- our sessions pass locks on to each other by it; others' own waits are looked at in their own time
    ('deadlock_timeout', (
        select '200ms' from pg_catalog.pg_roles as role where role.rolname = current_user and role.rolsuper
    )),
    ('idle_in_transaction_session_timeout', '0'),
    ('idle_session_timeout', '0'),
    ('transaction_timeout', '0'),
    -- off: a policy that would hide rows is an error
    ('row_security', $3),
    -- nobody's view or foreign table may take a table's place (CVE-2024-7348)
    ('restrict_nonsystem_relation_kind', 'view, foreign-table'),
    -- compiling catalogue queries costs more than running them
    ('jit', 'off')
) as wanted (name, value)
join pg_catalog.pg_settings as setting
    on pg_catalog.lower(setting.name) operator(pg_catalog.=) wanted.name
where wanted.value is not null
