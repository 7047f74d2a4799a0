-- What depends on what, in the order in which it was noted. Pinned and extension-membership rows order
-- nothing. Members of operator families have rows of their own; a dump has one entry for the family, so their
-- dependencies are told as the family's.
select d.classid,
       d.objid,
       d.refclassid,
       d.refobjid,
       d.deptype
from (
    select d.classid,
           d.objid,
           d.refclassid,
           d.refobjid,
           d.deptype,
           d.ctid as place
    from pg_catalog.pg_depend d
    where d.deptype not in ('p', 'e')
    union all
    select 'pg_catalog.pg_opfamily'::pg_catalog.regclass,
           o.amopfamily,
           d.refclassid,
           d.refobjid,
           d.deptype,
           d.ctid
    from pg_catalog.pg_depend d
    join pg_catalog.pg_amop o on o.oid = d.objid
    where d.classid = 'pg_catalog.pg_amop'::pg_catalog.regclass
      and d.deptype not in ('p', 'e', 'i')
      and not (d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass and d.refobjid = o.amopfamily)
    union all
    select 'pg_catalog.pg_opfamily'::pg_catalog.regclass,
           p.amprocfamily,
           d.refclassid,
           d.refobjid,
           d.deptype,
           d.ctid
    from pg_catalog.pg_depend d
    join pg_catalog.pg_amproc p on p.oid = d.objid
    where d.classid = 'pg_catalog.pg_amproc'::pg_catalog.regclass
      and d.deptype not in ('p', 'e', 'i')
      and not (d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass and d.refobjid = p.amprocfamily)
) d
order by d.place
