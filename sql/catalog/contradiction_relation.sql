-- Relations and what hangs on them that refer to a row which is not there, and relations that lack the row which makes them
-- what they are (`referenced_oid` is empty then). A catalog that has rows for each table is read once and joined to no more than
-- it must be: a table that is gone is missed by the type of its rows, so that its indexes, constraints and defaults need not
-- miss it, too. Columns and checks are counted when they are read.
with relation(classid, oid, schema_oid, relation_oid, name, refclassid, refobjid) as (
    select c.tableoid, c.oid, c.relnamespace, c.oid, c.relname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_class c
    left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    left join pg_catalog.pg_roles o on o.oid = c.relowner
    left join pg_catalog.pg_am m on m.oid = c.relam
    left join pg_catalog.pg_tablespace s on s.oid = c.reltablespace
    left join pg_catalog.pg_type f on f.oid = c.reloftype
    left join pg_catalog.pg_partitioned_table p on p.partrelid = c.oid and c.relkind = 'p'
    left join pg_catalog.pg_inherits h on h.inhrelid = c.oid and c.relispartition
    left join pg_catalog.pg_sequence q on q.seqrelid = c.oid and c.relkind = 'S'
    left join pg_catalog.pg_foreign_table g on g.ftrelid = c.oid and c.relkind = 'f'
    left join pg_catalog.pg_rewrite w on w.ev_class = c.oid and w.ev_type = '1' and c.relkind in ('v', 'm')
    cross join lateral (values
        (n.oid is null, 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, c.relnamespace),
        (o.oid is null, 'pg_catalog.pg_authid'::pg_catalog.regclass, c.relowner),
        (m.oid is null and c.relam <> 0, 'pg_catalog.pg_am'::pg_catalog.regclass, c.relam),
        (s.oid is null and c.reltablespace <> 0, 'pg_catalog.pg_tablespace'::pg_catalog.regclass, c.reltablespace),
        (f.oid is null and c.reloftype <> 0, 'pg_catalog.pg_type'::pg_catalog.regclass, c.reloftype),
        (p.partrelid is null and c.relkind = 'p', 'pg_catalog.pg_partitioned_table'::pg_catalog.regclass, null),
        (h.inhrelid is null and c.relispartition, 'pg_catalog.pg_inherits'::pg_catalog.regclass, null),
        (q.seqrelid is null and c.relkind = 'S', 'pg_catalog.pg_sequence'::pg_catalog.regclass, null),
        (g.ftrelid is null and c.relkind = 'f', 'pg_catalog.pg_foreign_table'::pg_catalog.regclass, null),
        (w.oid is null and c.relkind in ('v', 'm'), 'pg_catalog.pg_rewrite'::pg_catalog.regclass, null)
    ) as r(is_missing, refclassid, refobjid)
    where c.oid > 16383
      and c.relkind not in ('t', 'i', 'I')
      and c.relpersistence <> 't'
      and r.is_missing
      and (n.oid is null
           or o.oid is null
           or (m.oid is null and c.relam <> 0)
           or (s.oid is null and c.reltablespace <> 0)
           or (f.oid is null and c.reloftype <> 0)
           or (p.partrelid is null and c.relkind = 'p')
           or (h.inhrelid is null and c.relispartition)
           or (q.seqrelid is null and c.relkind = 'S')
           or (g.ftrelid is null and c.relkind = 'f')
           or (w.oid is null and c.relkind in ('v', 'm')))
), relation_type as (
    -- the types of relations' rows, and arrays of any type
    select t.tableoid, t.oid, t.typnamespace, t.typrelid, t.typname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_type t
    left join pg_catalog.pg_class c on c.oid = t.typrelid
    left join pg_catalog.pg_type e on e.oid = t.typelem
    cross join lateral (values
        (c.oid is null and t.typrelid <> 0, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, t.typrelid),
        (e.oid is null and t.typelem <> 0, 'pg_catalog.pg_type'::pg_catalog.regclass, t.typelem)
    ) as r(is_missing, refclassid, refobjid)
    where t.oid > 16383
      and (t.typrelid <> 0 or t.typcategory = 'A')
      and ((c.oid is null and t.typrelid <> 0) or (e.oid is null and t.typelem <> 0))
      and r.is_missing
), attribute as (
    -- the columns of composite types: those of tables are looked at when they are read
    select c.tableoid, c.oid, c.relnamespace, 0::pg_catalog.oid, c.relname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_class c
    cross join lateral (
        select 'pg_catalog.pg_attribute'::pg_catalog.regclass::pg_catalog.oid, null::pg_catalog.oid
        where c.relnatts <> (select pg_catalog.count(*)
                             from pg_catalog.pg_attribute a
                             where a.attrelid = c.oid and a.attnum > 0)
        union all
        select 'pg_catalog.pg_type'::pg_catalog.regclass, a.atttypid
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid
          and a.attnum > 0
          and not a.attisdropped
          and not exists (select from pg_catalog.pg_type t where t.oid = a.atttypid)
        union all
        select 'pg_catalog.pg_collation'::pg_catalog.regclass, a.attcollation
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid
          and a.attcollation <> 0
          and not exists (select from pg_catalog.pg_collation l where l.oid = a.attcollation)
    ) as r(refclassid, refobjid)
    where c.relkind = 'c'
), index_relation as (
    -- an index has a row in both catalogs
    select coalesce(c.tableoid, i.tableoid), coalesce(c.oid, i.indexrelid), coalesce(c.relnamespace, 0),
           coalesce(i.indrelid, c.oid), coalesce(c.relname::pg_catalog.text, 'of ' || i.indrelid::pg_catalog.regclass::pg_catalog.text),
           r.refclassid, r.refobjid
    from (
        select c.tableoid, c.oid, c.relnamespace, c.relname, c.relam, c.reltablespace
        from pg_catalog.pg_class c
        where c.relkind in ('i', 'I') and c.relpersistence <> 't'
    ) c
    full join (
        select i.tableoid, i.indexrelid, i.indrelid
        from pg_catalog.pg_index i
    ) i on i.indexrelid = c.oid
    left join pg_catalog.pg_am m on m.oid = c.relam
    left join pg_catalog.pg_tablespace s on s.oid = c.reltablespace
    cross join lateral (values
        (c.oid is null, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, i.indexrelid),
        (i.indexrelid is null, 'pg_catalog.pg_index'::pg_catalog.regclass, null),
        (m.oid is null and c.relam <> 0, 'pg_catalog.pg_am'::pg_catalog.regclass, c.relam),
        (s.oid is null and c.reltablespace <> 0, 'pg_catalog.pg_tablespace'::pg_catalog.regclass, c.reltablespace)
    ) as r(is_missing, refclassid, refobjid)
    where (c.oid is null
           or i.indexrelid is null
           or (m.oid is null and c.relam <> 0)
           or (s.oid is null and c.reltablespace <> 0))
      and r.is_missing
      -- those of temporary tables are none of the first
      and (c.oid is not null or not exists (select from pg_catalog.pg_class x where x.oid = i.indexrelid))
), index_part as (
    -- what initdb made cannot be gone
    select i.tableoid, i.indexrelid, 0::pg_catalog.oid, i.indrelid, i.indexrelid::pg_catalog.regclass::pg_catalog.text,
           r.refclassid, r.refobjid
    from (
        select x.tableoid, x.indexrelid, x.indrelid,
               pg_catalog.unnest(x.indclass::pg_catalog.oid[]) as operator_class,
               pg_catalog.unnest(x.indcollation::pg_catalog.oid[]) as collation_oid
        from pg_catalog.pg_index x
        where x.indexrelid > 16383
    ) i
    left join pg_catalog.pg_opclass o on o.oid = i.operator_class
    left join pg_catalog.pg_collation l on l.oid = i.collation_oid
    cross join lateral (values
        (o.oid is null and i.operator_class <> 0,
         'pg_catalog.pg_opclass'::pg_catalog.regclass::pg_catalog.oid, i.operator_class),
        (l.oid is null and i.collation_oid <> 0, 'pg_catalog.pg_collation'::pg_catalog.regclass, i.collation_oid)
    ) as r(is_missing, refclassid, refobjid)
    where (i.operator_class > 16383 or i.collation_oid > 16383)
      and r.is_missing
), key_part as (
    -- the operator classes and collations of partition keys
    select p.tableoid, p.partrelid, 0::pg_catalog.oid, p.partrelid,
           p.partrelid::pg_catalog.regclass::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_partitioned_table p
    cross join lateral (
        select 'pg_catalog.pg_opclass'::pg_catalog.regclass::pg_catalog.oid, k.oid
        from pg_catalog.unnest(p.partclass::pg_catalog.oid[]) as k(oid)
        where not exists (select from pg_catalog.pg_opclass o where o.oid = k.oid)
        union all
        select 'pg_catalog.pg_collation'::pg_catalog.regclass, k.oid
        from pg_catalog.unnest(p.partcollation::pg_catalog.oid[]) as k(oid)
        where k.oid <> 0
          and not exists (select from pg_catalog.pg_collation l where l.oid = k.oid)
    ) as r(refclassid, refobjid)
), beside as (
    -- rows that stand beside the one in pg_class
    select x.classid, x.oid, 0::pg_catalog.oid, x.oid, x.oid::pg_catalog.regclass::pg_catalog.text,
           'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, x.relation_oid
    from (
        select q.tableoid, q.seqrelid, q.seqrelid
        from pg_catalog.pg_sequence q
        union all
        select g.tableoid, g.ftrelid, g.ftrelid
        from pg_catalog.pg_foreign_table g
        union all
        select p.tableoid, p.partrelid, p.partrelid
        from pg_catalog.pg_partitioned_table p
        union all
        select h.tableoid, h.inhrelid, h.inhrelid
        from pg_catalog.pg_inherits h
        union all
        select h.tableoid, h.inhrelid, h.inhparent
        from pg_catalog.pg_inherits h
    ) as x(classid, oid, relation_oid)
    where not exists (select from pg_catalog.pg_class c where c.oid = x.relation_oid)
    union all
    select q.tableoid, q.seqrelid, 0, q.seqrelid, q.seqrelid::pg_catalog.regclass::pg_catalog.text,
           'pg_catalog.pg_type'::pg_catalog.regclass, q.seqtypid
    from pg_catalog.pg_sequence q
    where not exists (select from pg_catalog.pg_type t where t.oid = q.seqtypid)
    union all
    select g.tableoid, g.ftrelid, 0, g.ftrelid, g.ftrelid::pg_catalog.regclass::pg_catalog.text,
           'pg_catalog.pg_foreign_server'::pg_catalog.regclass, g.ftserver
    from pg_catalog.pg_foreign_table g
    where not exists (select from pg_catalog.pg_foreign_server s where s.oid = g.ftserver)
), dependent as (
    -- rows that belong to one relation
    select w.tableoid, w.oid, 0::pg_catalog.oid, w.ev_class, w.rulename::pg_catalog.text,
           'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, w.ev_class
    from pg_catalog.pg_rewrite w
    where w.oid > 16383
      and not exists (select from pg_catalog.pg_class c where c.oid = w.ev_class)
    union all
    select g.tableoid, g.oid, 0, g.tgrelid, g.tgname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_trigger g
    left join pg_catalog.pg_class c on c.oid = g.tgrelid
    left join pg_catalog.pg_proc p on p.oid = g.tgfoid
    left join pg_catalog.pg_constraint k on k.oid = g.tgconstraint
    left join pg_catalog.pg_class f on f.oid = g.tgconstrrelid
    left join pg_catalog.pg_trigger u on u.oid = g.tgparentid
    cross join lateral (values
        (c.oid is null, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, g.tgrelid),
        (p.oid is null, 'pg_catalog.pg_proc'::pg_catalog.regclass, g.tgfoid),
        (k.oid is null and g.tgconstraint <> 0, 'pg_catalog.pg_constraint'::pg_catalog.regclass, g.tgconstraint),
        (f.oid is null and g.tgconstrrelid <> 0, 'pg_catalog.pg_class'::pg_catalog.regclass, g.tgconstrrelid),
        (u.oid is null and g.tgparentid <> 0, 'pg_catalog.pg_trigger'::pg_catalog.regclass, g.tgparentid)
    ) as r(is_missing, refclassid, refobjid)
    where r.is_missing
      and (c.oid is null
           or p.oid is null
           or (k.oid is null and g.tgconstraint <> 0)
           or (f.oid is null and g.tgconstrrelid <> 0)
           or (u.oid is null and g.tgparentid <> 0))
    union all
    select k.tableoid, k.oid, k.connamespace, k.conrelid, k.conname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_constraint k
    left join pg_catalog.pg_class f on f.oid = k.confrelid
    left join pg_catalog.pg_class i on i.oid = k.conindid
    left join pg_catalog.pg_type t on t.oid = k.contypid
    left join pg_catalog.pg_constraint u on u.oid = k.conparentid
    cross join lateral (values
        (f.oid is null and k.confrelid <> 0, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, k.confrelid),
        (i.oid is null and k.conindid <> 0, 'pg_catalog.pg_class'::pg_catalog.regclass, k.conindid),
        (t.oid is null and k.contypid <> 0, 'pg_catalog.pg_type'::pg_catalog.regclass, k.contypid),
        (u.oid is null and k.conparentid <> 0, 'pg_catalog.pg_constraint'::pg_catalog.regclass, k.conparentid)
    ) as r(is_missing, refclassid, refobjid)
    where k.oid > 16383
      and (k.conindid <> 0 or k.contypid <> 0 or k.conparentid <> 0) -- a foreign key has an index
      and r.is_missing
      and ((f.oid is null and k.confrelid <> 0)
           or (i.oid is null and k.conindid <> 0)
           or (t.oid is null and k.contypid <> 0)
           or (u.oid is null and k.conparentid <> 0))
    union all
    select p.tableoid, p.oid, 0, p.polrelid, p.polname::pg_catalog.text,
           'pg_catalog.pg_class'::pg_catalog.regclass, p.polrelid
    from pg_catalog.pg_policy p
    where not exists (select from pg_catalog.pg_class c where c.oid = p.polrelid)
    union all
    select p.tableoid, p.oid, 0, p.polrelid, p.polname::pg_catalog.text,
           'pg_catalog.pg_authid'::pg_catalog.regclass, r.oid
    from pg_catalog.pg_policy p
    cross join lateral pg_catalog.unnest(p.polroles) as r(oid)
    where r.oid <> 0
      and not exists (select from pg_catalog.pg_roles o where o.oid = r.oid)
    union all
    select s.tableoid, s.oid, s.stxnamespace, s.stxrelid, s.stxname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_statistic_ext s
    left join pg_catalog.pg_class c on c.oid = s.stxrelid
    left join pg_catalog.pg_namespace n on n.oid = s.stxnamespace
    left join pg_catalog.pg_roles o on o.oid = s.stxowner
    cross join lateral (values
        (c.oid is null, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, s.stxrelid),
        (n.oid is null, 'pg_catalog.pg_namespace'::pg_catalog.regclass, s.stxnamespace),
        (o.oid is null, 'pg_catalog.pg_authid'::pg_catalog.regclass, s.stxowner)
    ) as r(is_missing, refclassid, refobjid)
    where r.is_missing
    union all
    select p.tableoid, p.oid, 0, p.prrelid, p.prrelid::pg_catalog.regclass::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_publication_rel p
    left join pg_catalog.pg_class c on c.oid = p.prrelid
    left join pg_catalog.pg_publication b on b.oid = p.prpubid
    cross join lateral (values
        (c.oid is null, 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid, p.prrelid),
        (b.oid is null, 'pg_catalog.pg_publication'::pg_catalog.regclass, p.prpubid)
    ) as r(is_missing, refclassid, refobjid)
    where r.is_missing
), reference(classid, oid, schema_oid, relation_oid, name, refclassid, refobjid) as (
    table relation
    union all
    table relation_type
    union all
    table attribute
    union all
    table index_relation
    union all
    table index_part
    union all
    table key_part
    union all
    table beside
    union all
    table dependent
)
select r.classid,
       r.classid::pg_catalog.regclass as catalog,
       r.oid,
       r.schema_oid,
       r.relation_oid,
       r.name,
       r.refclassid::pg_catalog.regclass as referenced_catalog,
       r.refobjid as referenced_oid
from reference r
order by r.classid, r.oid, r.refobjid
