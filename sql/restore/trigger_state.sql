-- Triggers of a table that do not fire in the usual way, which ENABLE TRIGGER ALL would change.
select
    pg_catalog.format('%I', tgname) as name,
    case tgenabled when 'D' then 'DISABLE' when 'R' then 'ENABLE REPLICA' when 'A' then 'ENABLE ALWAYS' end as state
from pg_catalog.pg_trigger
where tgrelid = pg_catalog.to_regclass($1) and tgenabled <> 'O' and not tgisinternal
