-- Every relation but indexes and TOAST tables, system catalogs too: what is selected may inherit from anything. No
-- function that needs a lock on the relation is called here.
select c.oid,
       c.relname,
       c.relnamespace,
       pg_catalog.pg_get_userbyid(c.relowner) as owner,
       c.relkind,
       c.reltype,
       c.relpersistence,
       c.relispopulated,
       c.relreplident,
       c.relrowsecurity,
       c.relforcerowsecurity,
       c.relispartition,
       c.relnatts,
       c.relchecks,
       c.relpages,
       toast.relpages as toast_pages,
       c.relacl as acl,
       pg_catalog.acldefault(case when c.relkind = 'S' then 's'::"char" else 'r'::"char" end, c.relowner) as acl_default,
       pg_catalog.array_remove(pg_catalog.array_remove(c.reloptions, 'check_option=local'), 'check_option=cascaded')
           as options,
       case
           when 'check_option=local' = any (c.reloptions) then 'LOCAL'
           when 'check_option=cascaded' = any (c.reloptions) then 'CASCADED'
       end as check_option,
       toast.reloptions as toast_options,
       case when c.reloftype <> 0 then pg_catalog.format_type(c.reloftype, null) end as of_type,
       am.amname as access_method,
       ts.spcname as tablespace,
       ft.ftserver as foreign_server,
       own.refobjid as owning_table,
       own.refobjsubid as owning_column,
       own.deptype as owning_kind
from pg_catalog.pg_class c
left join pg_catalog.pg_class toast
    on toast.oid = c.reltoastrelid and toast.relkind = 't' and c.relkind <> 'p'
left join pg_catalog.pg_am am on am.oid = c.relam
left join pg_catalog.pg_tablespace ts on ts.oid = c.reltablespace
left join pg_catalog.pg_foreign_table ft on ft.ftrelid = c.oid
left join pg_catalog.pg_depend own
    on c.relkind = 'S'
    and own.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and own.objid = c.oid
    and own.objsubid = 0
    and own.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and own.deptype in ('a', 'i')
where c.relkind in ('r', 'S', 'v', 'c', 'm', 'f', 'p')
order by c.oid
