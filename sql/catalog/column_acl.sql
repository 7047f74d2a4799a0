-- Privileges on columns, of system columns and of system catalogs too.
select a.attrelid,
       a.attnum,
       a.attname,
       a.attacl as acl,
       '{}' as acl_default,
       init.privtype,
       init.initprivs
from pg_catalog.pg_attribute a
left join pg_catalog.pg_init_privs init
    on init.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and init.objoid = a.attrelid
    and init.objsubid = a.attnum
where not a.attisdropped
  and (a.attacl is not null or init.initprivs is not null)
order by a.attrelid, a.attnum
