-- Pins the forms of values and definitions that pg_dump leaves to the session, for what is compared with other servers: digests
-- of rows, and what a restored database must have.
select pg_catalog.set_config('timezone', 'UTC', false),
       pg_catalog.set_config('bytea_output', 'hex', false),
       pg_catalog.set_config('quote_all_identifiers', 'off', false),
       pg_catalog.set_config('lc_monetary', coalesce($1::pg_catalog.text, 'C'), false)
