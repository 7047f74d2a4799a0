-- Takes back what a database or a role may be set to and neither scripts nor archives speak of.
select
    -- that sessions begin without the right to write is no reason not to restore
    pg_catalog.set_config('default_transaction_read_only', 'off', false),
    pg_catalog.set_config('default_transaction_isolation', 'read committed', false),
    -- NULL in an array's text is a null and not the word
    pg_catalog.set_config('array_nulls', 'on', false),
    pg_catalog.set_config('transform_null_equals', 'off', false)
