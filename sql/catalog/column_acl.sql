-- Privileges on columns, of system columns and of system catalogs too, and those that columns had at birth.
select a.attrelid,
       a.attnum,
       a.attname,
       a.attacl as acl,
       '{}' as acl_default,
       init.privtype,
       init.initprivs
from (
    select granted.attrelid, granted.attnum
    from pg_catalog.pg_attribute granted
    where granted.attacl is not null
    union
    select born.objoid, born.objsubid
    from pg_catalog.pg_init_privs born
    where born.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
      and born.objsubid <> 0
) as wanted(relation, number)
join pg_catalog.pg_attribute a on a.attrelid = wanted.relation and a.attnum = wanted.number
left join pg_catalog.pg_init_privs init
    on init.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
    and init.objoid = a.attrelid
    and init.objsubid = a.attnum
where not a.attisdropped
order by a.attrelid, a.attnum
