-- Foreign keys to tables that extensions made: they stand while the rows of configuration tables are loaded.
select c.conrelid,
       c.confrelid
from pg_catalog.pg_constraint c
join pg_catalog.pg_depend d
    on d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and d.objid = c.confrelid
    and d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
    and d.deptype = 'e'
where c.contype = 'f'
