-- The operators and functions of classes and families, by the pg_depend row that ties each to a class (a member of the
-- class) or to its family alone (a loose one). Operators come first, then functions, each by number; where that leaves a
-- choice, in the order in which pg_dump happens to read them: operators by their types, functions as they were added.
select d.refclassid,
       d.refobjid,
       1 as place,
       o.amopstrategy as number,
       o.amopopr::pg_catalog.regoperator::pg_catalog.text as member,
       null as left_type,
       null as right_type,
       n.nspname as sort_schema,
       f.opfname as sort_name,
       o.amoplefttype,
       o.amoprighttype,
       d.ctid
from pg_catalog.pg_amop o
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_amop'::pg_catalog.regclass and d.objid = o.oid
left join pg_catalog.pg_opfamily f on f.oid = o.amopsortfamily
left join pg_catalog.pg_namespace n on n.oid = f.opfnamespace
where d.refclassid = 'pg_catalog.pg_opclass'::pg_catalog.regclass
   or (d.refclassid = 'pg_catalog.pg_opfamily'::pg_catalog.regclass and d.refobjid = o.amopfamily)
union all
select d.refclassid,
       d.refobjid,
       2,
       p.amprocnum,
       p.amproc::pg_catalog.regprocedure::pg_catalog.text,
       p.amproclefttype::pg_catalog.regtype::pg_catalog.text,
       p.amprocrighttype::pg_catalog.regtype::pg_catalog.text,
       null,
       null,
       0,
       0,
       d.ctid
from pg_catalog.pg_amproc p
join pg_catalog.pg_depend d on d.classid = 'pg_catalog.pg_amproc'::pg_catalog.regclass and d.objid = p.oid
where d.refclassid in ('pg_catalog.pg_opclass'::pg_catalog.regclass, 'pg_catalog.pg_opfamily'::pg_catalog.regclass)
order by 1, 2, 3, 4, 10, 11, 12
