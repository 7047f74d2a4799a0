-- What a user made (initdb's oids end at 16383) that refers to a row which is not there, of everything that is no relation and
-- hangs on none: what a dump has no right answer for. A reference of 0 means nothing. Where the row itself must have another
-- beside it, and has none, `refobjid` is empty.
with reference(classid, objid, schema_oid, name, refclassid, refobjid) as (
    select n.tableoid, n.oid, 0::pg_catalog.oid, n.nspname::pg_catalog.text,
           'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, n.nspowner
    from pg_catalog.pg_namespace n
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    union all
    select x.tableoid, x.oid, 0, x.extname::pg_catalog.text,
           'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, x.extnamespace
    from pg_catalog.pg_extension x
    union all
    select p.tableoid, p.oid, p.pronamespace, p.proname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_proc p
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, p.pronamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, p.proowner),
        ('pg_catalog.pg_language'::pg_catalog.regclass, p.prolang),
        ('pg_catalog.pg_type'::pg_catalog.regclass, p.prorettype),
        ('pg_catalog.pg_type'::pg_catalog.regclass, p.provariadic),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, p.prosupport::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where p.oid > 16383
    union all
    select p.tableoid, p.oid, p.pronamespace, p.proname::pg_catalog.text,
           'pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, r.refobjid
    from pg_catalog.pg_proc p
    cross join lateral (
        select pg_catalog.unnest(coalesce(p.proallargtypes, p.proargtypes::pg_catalog.oid[]))
        union all
        select pg_catalog.unnest(p.proargtypes::pg_catalog.oid[])
        union all
        select pg_catalog.unnest(p.protrftypes)
    ) as r(refobjid)
    where p.oid > 16383
    union all
    select p.tableoid, p.oid, p.pronamespace, p.proname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_aggregate a
    join pg_catalog.pg_proc p on p.oid = a.aggfnoid
    cross join lateral (values
        ('pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid, a.aggtransfn::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, a.aggfinalfn::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, a.aggcombinefn::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, a.aggserialfn::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, a.aggdeserialfn::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, a.aggmtransfn::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, a.aggminvtransfn::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, a.aggmfinalfn::pg_catalog.oid),
        ('pg_catalog.pg_operator'::pg_catalog.regclass, a.aggsortop),
        ('pg_catalog.pg_type'::pg_catalog.regclass, a.aggtranstype),
        ('pg_catalog.pg_type'::pg_catalog.regclass, a.aggmtranstype)
    ) as r(refclassid, refobjid)
    where p.oid > 16383
    union all
    select t.tableoid, t.oid, t.typnamespace, t.typname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_type t
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, t.typnamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, t.typowner),
        ('pg_catalog.pg_type'::pg_catalog.regclass, t.typelem),
        ('pg_catalog.pg_type'::pg_catalog.regclass, t.typarray),
        ('pg_catalog.pg_type'::pg_catalog.regclass, t.typbasetype),
        ('pg_catalog.pg_collation'::pg_catalog.regclass, t.typcollation),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.typinput::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.typoutput::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.typreceive::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.typsend::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.typmodin::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.typmodout::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.typanalyze::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where t.oid > 16383
      and t.typtype in ('b', 'd', 'e', 'r', 'm') -- a relation's type is looked at with the relation
      and t.typrelid = 0
      and t.typcategory <> 'A'
    union all
    select t.tableoid, t.oid, t.typnamespace, t.typname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_range g
    join pg_catalog.pg_type t on t.oid = g.rngtypid
    cross join lateral (values
        ('pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, g.rngsubtype),
        ('pg_catalog.pg_collation'::pg_catalog.regclass, g.rngcollation),
        ('pg_catalog.pg_opclass'::pg_catalog.regclass, g.rngsubopc),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, g.rngcanonical::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, g.rngsubdiff::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where t.oid > 16383
    union all
    select g.tableoid, g.rngtypid, 0, 'range of ' || pg_catalog.format_type(g.rngsubtype, null),
           'pg_catalog.pg_type'::pg_catalog.regclass, g.rngtypid
    from pg_catalog.pg_range g
    where g.rngtypid > 16383
    union all
    select e.tableoid, e.oid, 0, e.enumlabel::pg_catalog.text, 'pg_catalog.pg_type'::pg_catalog.regclass, e.enumtypid
    from pg_catalog.pg_enum e
    where e.oid > 16383
    union all
    select l.tableoid, l.oid, 0, l.lanname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_language l
    cross join lateral (values
        ('pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, l.lanowner),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, l.lanplcallfoid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, l.laninline),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, l.lanvalidator)
    ) as r(refclassid, refobjid)
    where l.oid > 16383
    union all
    select k.tableoid, k.oid, 0,
           pg_catalog.format_type(k.castsource, null) || ' as ' || pg_catalog.format_type(k.casttarget, null),
           r.refclassid, r.refobjid
    from pg_catalog.pg_cast k
    cross join lateral (values
        ('pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, k.castsource),
        ('pg_catalog.pg_type'::pg_catalog.regclass, k.casttarget),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, k.castfunc)
    ) as r(refclassid, refobjid)
    where k.oid > 16383
    union all
    select f.tableoid, f.oid, 0, 'for ' || pg_catalog.format_type(f.trftype, null), r.refclassid, r.refobjid
    from pg_catalog.pg_transform f
    cross join lateral (values
        ('pg_catalog.pg_type'::pg_catalog.regclass::pg_catalog.oid, f.trftype),
        ('pg_catalog.pg_language'::pg_catalog.regclass, f.trflang),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, f.trffromsql::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, f.trftosql::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where f.oid > 16383
    union all
    select o.tableoid, o.oid, o.oprnamespace, o.oprname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_operator o
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, o.oprnamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, o.oprowner),
        ('pg_catalog.pg_type'::pg_catalog.regclass, o.oprleft),
        ('pg_catalog.pg_type'::pg_catalog.regclass, o.oprright),
        ('pg_catalog.pg_type'::pg_catalog.regclass, o.oprresult),
        ('pg_catalog.pg_operator'::pg_catalog.regclass, o.oprcom),
        ('pg_catalog.pg_operator'::pg_catalog.regclass, o.oprnegate),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, o.oprcode::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, o.oprrest::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, o.oprjoin::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where o.oid > 16383
    union all
    select c.tableoid, c.oid, c.opcnamespace, c.opcname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_opclass c
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, c.opcnamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, c.opcowner),
        ('pg_catalog.pg_am'::pg_catalog.regclass, c.opcmethod),
        ('pg_catalog.pg_opfamily'::pg_catalog.regclass, c.opcfamily),
        ('pg_catalog.pg_type'::pg_catalog.regclass, c.opcintype),
        ('pg_catalog.pg_type'::pg_catalog.regclass, c.opckeytype)
    ) as r(refclassid, refobjid)
    where c.oid > 16383
    union all
    select f.tableoid, f.oid, f.opfnamespace, f.opfname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_opfamily f
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, f.opfnamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, f.opfowner),
        ('pg_catalog.pg_am'::pg_catalog.regclass, f.opfmethod)
    ) as r(refclassid, refobjid)
    where f.oid > 16383
    union all
    select o.tableoid, o.oid, coalesce(f.opfnamespace, 0), pg_catalog.concat_ws(' ', f.opfname, o.amopstrategy),
           r.refclassid, r.refobjid
    from pg_catalog.pg_amop o
    left join pg_catalog.pg_opfamily f on f.oid = o.amopfamily
    cross join lateral (values
        ('pg_catalog.pg_opfamily'::pg_catalog.regclass::pg_catalog.oid, o.amopfamily),
        ('pg_catalog.pg_type'::pg_catalog.regclass, o.amoplefttype),
        ('pg_catalog.pg_type'::pg_catalog.regclass, o.amoprighttype),
        ('pg_catalog.pg_operator'::pg_catalog.regclass, o.amopopr),
        ('pg_catalog.pg_opfamily'::pg_catalog.regclass, o.amopsortfamily)
    ) as r(refclassid, refobjid)
    where o.oid > 16383
    union all
    select p.tableoid, p.oid, coalesce(f.opfnamespace, 0), pg_catalog.concat_ws(' ', f.opfname, p.amprocnum),
           r.refclassid, r.refobjid
    from pg_catalog.pg_amproc p
    left join pg_catalog.pg_opfamily f on f.oid = p.amprocfamily
    cross join lateral (values
        ('pg_catalog.pg_opfamily'::pg_catalog.regclass::pg_catalog.oid, p.amprocfamily),
        ('pg_catalog.pg_type'::pg_catalog.regclass, p.amproclefttype),
        ('pg_catalog.pg_type'::pg_catalog.regclass, p.amprocrighttype),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, p.amproc::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where p.oid > 16383
    union all
    select m.tableoid, m.oid, 0, m.amname::pg_catalog.text,
           'pg_catalog.pg_proc'::pg_catalog.regclass, m.amhandler::pg_catalog.oid
    from pg_catalog.pg_am m
    where m.oid > 16383
    union all
    select l.tableoid, l.oid, l.collnamespace, l.collname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_collation l
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, l.collnamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, l.collowner)
    ) as r(refclassid, refobjid)
    where l.oid > 16383
    union all
    select c.tableoid, c.oid, c.connamespace, c.conname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_conversion c
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, c.connamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, c.conowner),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, c.conproc::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where c.oid > 16383
    union all
    select p.tableoid, p.oid, p.prsnamespace, p.prsname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_ts_parser p
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, p.prsnamespace),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, p.prsstart::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, p.prstoken::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, p.prsend::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, p.prsheadline::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, p.prslextype::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where p.oid > 16383
    union all
    select t.tableoid, t.oid, t.tmplnamespace, t.tmplname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_ts_template t
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, t.tmplnamespace),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.tmplinit::pg_catalog.oid),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, t.tmpllexize::pg_catalog.oid)
    ) as r(refclassid, refobjid)
    where t.oid > 16383
    union all
    select d.tableoid, d.oid, d.dictnamespace, d.dictname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_ts_dict d
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, d.dictnamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, d.dictowner),
        ('pg_catalog.pg_ts_template'::pg_catalog.regclass, d.dicttemplate)
    ) as r(refclassid, refobjid)
    where d.oid > 16383
    union all
    select c.tableoid, c.oid, c.cfgnamespace, c.cfgname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_ts_config c
    cross join lateral (values
        ('pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, c.cfgnamespace),
        ('pg_catalog.pg_authid'::pg_catalog.regclass, c.cfgowner),
        ('pg_catalog.pg_ts_parser'::pg_catalog.regclass, c.cfgparser)
    ) as r(refclassid, refobjid)
    where c.oid > 16383
    union all
    select m.tableoid, m.mapcfg, coalesce(c.cfgnamespace, 0), pg_catalog.concat_ws(' ', c.cfgname, m.maptokentype),
           r.refclassid, r.refobjid
    from pg_catalog.pg_ts_config_map m
    left join pg_catalog.pg_ts_config c on c.oid = m.mapcfg
    cross join lateral (values
        ('pg_catalog.pg_ts_config'::pg_catalog.regclass::pg_catalog.oid, m.mapcfg),
        ('pg_catalog.pg_ts_dict'::pg_catalog.regclass, m.mapdict)
    ) as r(refclassid, refobjid)
    where m.mapcfg > 16383
    union all
    select w.tableoid, w.oid, 0, w.fdwname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_foreign_data_wrapper w
    cross join lateral (values
        ('pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, w.fdwowner),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, w.fdwhandler),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, w.fdwvalidator)
    ) as r(refclassid, refobjid)
    union all
    select s.tableoid, s.oid, 0, s.srvname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_foreign_server s
    cross join lateral (values
        ('pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, s.srvowner),
        ('pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass, s.srvfdw)
    ) as r(refclassid, refobjid)
    union all
    select e.tableoid, e.oid, 0, e.evtname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_event_trigger e
    cross join lateral (values
        ('pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, e.evtowner),
        ('pg_catalog.pg_proc'::pg_catalog.regclass, e.evtfoid)
    ) as r(refclassid, refobjid)
    union all
    select p.tableoid, p.oid, 0, p.pubname::pg_catalog.text,
           'pg_catalog.pg_authid'::pg_catalog.regclass, p.pubowner
    from pg_catalog.pg_publication p
    union all
    select d.tableoid, d.oid, d.defaclnamespace, pg_catalog.format('for objects of type "%s"', d.defaclobjtype), r.refclassid, r.refobjid
    from pg_catalog.pg_default_acl d
    cross join lateral (values
        ('pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, d.defaclrole),
        ('pg_catalog.pg_namespace'::pg_catalog.regclass, d.defaclnamespace)
    ) as r(refclassid, refobjid)
    union all
    select m.tableoid, m.oid, 0, m.oid::pg_catalog.text, 'pg_catalog.pg_authid'::pg_catalog.regclass, m.lomowner
    from pg_catalog.pg_largeobject_metadata m
    union all
    select d.tableoid, d.oid, 0, d.datname::pg_catalog.text, r.refclassid, r.refobjid
    from pg_catalog.pg_database d
    cross join lateral (values
        ('pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, d.datdba),
        ('pg_catalog.pg_tablespace'::pg_catalog.regclass, d.dattablespace)
    ) as r(refclassid, refobjid)
    where d.datname = pg_catalog.current_database()
), present(classid, objid) as (
    select 'pg_catalog.pg_authid'::pg_catalog.regclass::pg_catalog.oid, x.oid from pg_catalog.pg_roles x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_am x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_collation x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_foreign_data_wrapper x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_language x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_namespace x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_opclass x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_operator x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_opfamily x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_proc x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_tablespace x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_ts_config x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_ts_dict x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_ts_parser x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_ts_template x
    union all
    select x.tableoid, x.oid from pg_catalog.pg_type x
)
select r.classid,
       r.classid::pg_catalog.regclass as catalog,
       r.objid as oid,
       r.schema_oid,
       0 as relation_oid,
       r.name,
       r.refclassid::pg_catalog.regclass as referenced_catalog,
       r.refobjid as referenced_oid
from reference r
left join present p on p.classid = r.refclassid and p.objid = r.refobjid
where r.refobjid <> 0
  and p.objid is null
union all
select p.tableoid, p.tableoid::pg_catalog.regclass, p.oid, p.pronamespace, 0, p.proname,
       'pg_catalog.pg_aggregate'::pg_catalog.regclass, null
from pg_catalog.pg_proc p
where p.prokind = 'a'
  and p.oid > 16383
  and not exists (select from pg_catalog.pg_aggregate a where a.aggfnoid = p.oid)
union all
select a.tableoid, a.tableoid::pg_catalog.regclass, a.aggfnoid, 0, 0, a.aggfnoid::pg_catalog.text,
       'pg_catalog.pg_proc'::pg_catalog.regclass, a.aggfnoid
from pg_catalog.pg_aggregate a
where not exists (select from pg_catalog.pg_proc p where p.oid = a.aggfnoid)
union all
select t.tableoid, t.tableoid::pg_catalog.regclass, t.oid, t.typnamespace, 0, t.typname,
       'pg_catalog.pg_range'::pg_catalog.regclass, null
from pg_catalog.pg_type t
where t.typtype = 'r'
  and not exists (select from pg_catalog.pg_range g where g.rngtypid = t.oid)
order by 2, 3, 8
