-- What a user made (initdb's oids end at 16383) that is of a kind, or has a property, that a dump does not know how to
-- write. On a server that is as old as this program or older there is no such row. An extension makes its own again. Columns
-- are looked at when they are read, which is only done of what is dumped.
select u.kind,
       u.schema_oid,
       u.name
from (
    select c.tableoid, c.oid, c.relnamespace as schema_oid,
           pg_catalog.format('relation of kind "%s"', c.relkind) as kind, c.relname::pg_catalog.text as name
    from pg_catalog.pg_class c
    where c.relkind not in ('r', 'i', 'S', 't', 'v', 'm', 'c', 'f', 'p', 'I')
    union all
    select t.tableoid, t.oid, t.typnamespace, pg_catalog.format('data type of sort "%s"', t.typtype), t.typname
    from pg_catalog.pg_type t
    where t.typtype not in ('b', 'c', 'd', 'e', 'p', 'r', 'm')
    union all
    select p.tableoid, p.oid, p.pronamespace, pg_catalog.format('routine of kind "%s"', p.prokind), p.proname
    from pg_catalog.pg_proc p
    where p.prokind not in ('f', 'p', 'a', 'w')
    union all
    select l.tableoid, l.oid, l.collnamespace,
           pg_catalog.format('collation of provider "%s"', l.collprovider), l.collname
    from pg_catalog.pg_collation l
    where l.collprovider not in ('d', 'b', 'c', 'i')
    union all
    select m.tableoid, m.oid, 0, pg_catalog.format('access method of type "%s"', m.amtype), m.amname
    from pg_catalog.pg_am m
    where m.amtype not in ('i', 't')
    union all
    select k.tableoid, k.oid, 0, pg_catalog.format('cast of method "%s"', k.castmethod),
           pg_catalog.format_type(k.castsource, null) || ' as ' || pg_catalog.format_type(k.casttarget, null)
    from pg_catalog.pg_cast k
    where k.castmethod not in ('f', 'b', 'i')
    union all
    select o.tableoid, o.oid, o.connamespace, pg_catalog.format('constraint of type "%s"', o.contype), o.conname
    from pg_catalog.pg_constraint o
    where o.contype not in ('c', 'f', 'n', 'p', 'u', 't', 'x')
    union all
    select d.tableoid, d.oid, d.defaclnamespace,
           pg_catalog.format('default privileges on objects of type "%s"', d.defaclobjtype),
           pg_catalog.pg_get_userbyid(d.defaclrole)
    from pg_catalog.pg_default_acl d
    where d.defaclobjtype not in ('r', 'S', 'f', 'T', 'n', 'L')
    union all
    select s.tableoid, s.oid, s.stxnamespace, pg_catalog.format('extended statistics of kinds %s', s.stxkind),
           s.stxname
    from pg_catalog.pg_statistic_ext s
    where not s.stxkind <@ '{d,f,m,e}'::"char"[]
    union all
    select c.tableoid, c.oid, c.relnamespace,
           pg_catalog.format('partitioned table of strategy "%s"', p.partstrat), c.relname
    from pg_catalog.pg_partitioned_table p
    join pg_catalog.pg_class c on c.oid = p.partrelid
    where p.partstrat not in ('l', 'r', 'h')
) as u
where u.oid > 16383
  and not exists (select
                  from pg_catalog.pg_depend x
                  where x.classid = u.tableoid and x.objid = u.oid and x.deptype = 'e')
order by 2, 1, 3
