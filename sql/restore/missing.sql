-- Which of the wanted names the server does not have.
select wanted.kind as kind, wanted.name as name
from unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) as wanted (kind, name)
where case wanted.kind
    when 'role' then not exists (select from pg_catalog.pg_roles where rolname = wanted.name)
    when 'tablespace' then not exists (select from pg_catalog.pg_tablespace where spcname = wanted.name)
    when 'extension' then not exists (select from pg_catalog.pg_available_extensions as extension where extension.name = wanted.name)
    when 'database' then not exists (select from pg_catalog.pg_database where datname = wanted.name)
    when 'relation' then pg_catalog.to_regclass(wanted.name) is null
end
order by 1, 2
