-- What a newer server may have that is not known: $1 are the catalogs whose columns are compared. Letters come with one
-- object that has them.
select 'class' as sort, c.relname::pg_catalog.text as name, null::pg_catalog.text as value, null::pg_catalog.text as example
from (select d.classid from pg_catalog.pg_depend d
      union select d.refclassid from pg_catalog.pg_depend d
      union select s.classid from pg_catalog.pg_shdepend s
      union select s.refclassid from pg_catalog.pg_shdepend s) as used(oid)
join pg_catalog.pg_class c on c.oid = used.oid
union all
select 'column', c.relname, a.attname, null
from pg_catalog.pg_class c
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
where c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace and c.relname = any ($1::pg_catalog.name[])
union all
select 'letter', l.name, l.letter::pg_catalog.text, l.example
from (
    select 'pg_aggregate.aggfinalmodify' as name, aggfinalmodify as letter, pg_catalog.min((aggfnoid::pg_catalog.regprocedure)::pg_catalog.text) as example
    from pg_catalog.pg_aggregate group by 2
    union all
    select 'pg_aggregate.aggkind', aggkind, pg_catalog.min((aggfnoid::pg_catalog.regprocedure)::pg_catalog.text)
    from pg_catalog.pg_aggregate group by 2
    union all
    select 'pg_aggregate.aggmfinalmodify', aggmfinalmodify, pg_catalog.min((aggfnoid::pg_catalog.regprocedure)::pg_catalog.text)
    from pg_catalog.pg_aggregate group by 2
    union all
    select 'pg_am.amtype', amtype, pg_catalog.min((amname)::pg_catalog.text)
    from pg_catalog.pg_am group by 2
    union all
    select 'pg_amop.amoppurpose', amoppurpose, pg_catalog.min((oid)::pg_catalog.text)
    from pg_catalog.pg_amop group by 2
    union all
    select 'pg_attribute.attalign', attalign, pg_catalog.min(attrelid)::pg_catalog.regclass::pg_catalog.text
    from pg_catalog.pg_attribute group by 2
    union all
    select 'pg_attribute.attcompression', attcompression, pg_catalog.min(attrelid)::pg_catalog.regclass::pg_catalog.text
    from pg_catalog.pg_attribute group by 2
    union all
    select 'pg_attribute.attgenerated', attgenerated, pg_catalog.min(attrelid)::pg_catalog.regclass::pg_catalog.text
    from pg_catalog.pg_attribute group by 2
    union all
    select 'pg_attribute.attidentity', attidentity, pg_catalog.min(attrelid)::pg_catalog.regclass::pg_catalog.text
    from pg_catalog.pg_attribute group by 2
    union all
    select 'pg_attribute.attstorage', attstorage, pg_catalog.min(attrelid)::pg_catalog.regclass::pg_catalog.text
    from pg_catalog.pg_attribute group by 2
    union all
    select 'pg_cast.castcontext', castcontext, pg_catalog.min((castsource::pg_catalog.regtype || ' as ' || casttarget::pg_catalog.regtype)::pg_catalog.text)
    from pg_catalog.pg_cast group by 2
    union all
    select 'pg_cast.castmethod', castmethod, pg_catalog.min((castsource::pg_catalog.regtype || ' as ' || casttarget::pg_catalog.regtype)::pg_catalog.text)
    from pg_catalog.pg_cast group by 2
    union all
    select 'pg_class.relkind', relkind, pg_catalog.min((oid::pg_catalog.regclass)::pg_catalog.text)
    from pg_catalog.pg_class group by 2
    union all
    select 'pg_class.relpersistence', relpersistence, pg_catalog.min((oid::pg_catalog.regclass)::pg_catalog.text)
    from pg_catalog.pg_class group by 2
    union all
    select 'pg_class.relreplident', relreplident, pg_catalog.min((oid::pg_catalog.regclass)::pg_catalog.text)
    from pg_catalog.pg_class group by 2
    union all
    select 'pg_collation.collprovider', collprovider, pg_catalog.min((collname)::pg_catalog.text)
    from pg_catalog.pg_collation group by 2
    union all
    select 'pg_constraint.confdeltype', confdeltype, pg_catalog.min((conname)::pg_catalog.text)
    from pg_catalog.pg_constraint group by 2
    union all
    select 'pg_constraint.confmatchtype', confmatchtype, pg_catalog.min((conname)::pg_catalog.text)
    from pg_catalog.pg_constraint group by 2
    union all
    select 'pg_constraint.confupdtype', confupdtype, pg_catalog.min((conname)::pg_catalog.text)
    from pg_catalog.pg_constraint group by 2
    union all
    select 'pg_constraint.contype', contype, pg_catalog.min((conname)::pg_catalog.text)
    from pg_catalog.pg_constraint group by 2
    union all
    select 'pg_database.datlocprovider', datlocprovider, pg_catalog.min((datname)::pg_catalog.text)
    from pg_catalog.pg_database group by 2
    union all
    select 'pg_default_acl.defaclobjtype', defaclobjtype, pg_catalog.min((defaclrole::pg_catalog.regrole)::pg_catalog.text)
    from pg_catalog.pg_default_acl group by 2
    union all
    select 'pg_depend.deptype', deptype, pg_catalog.min(classid)::pg_catalog.regclass::pg_catalog.text
    from pg_catalog.pg_depend group by 2
    union all
    select 'pg_event_trigger.evtenabled', evtenabled, pg_catalog.min((evtname)::pg_catalog.text)
    from pg_catalog.pg_event_trigger group by 2
    union all
    select 'pg_init_privs.privtype', privtype, pg_catalog.min((classoid::pg_catalog.regclass)::pg_catalog.text)
    from pg_catalog.pg_init_privs group by 2
    union all
    select 'pg_operator.oprkind', oprkind, pg_catalog.min((oid::pg_catalog.regoperator)::pg_catalog.text)
    from pg_catalog.pg_operator group by 2
    union all
    select 'pg_partitioned_table.partstrat', partstrat, pg_catalog.min((partrelid::pg_catalog.regclass)::pg_catalog.text)
    from pg_catalog.pg_partitioned_table group by 2
    union all
    select 'pg_policy.polcmd', polcmd, pg_catalog.min((polname)::pg_catalog.text)
    from pg_catalog.pg_policy group by 2
    union all
    select 'pg_proc.proargmodes', e.letter, pg_catalog.min((oid::pg_catalog.regprocedure)::pg_catalog.text)
    from pg_catalog.pg_proc cross join lateral pg_catalog.unnest(proargmodes) as e(letter) group by 2
    union all
    select 'pg_proc.prokind', prokind, pg_catalog.min((oid::pg_catalog.regprocedure)::pg_catalog.text)
    from pg_catalog.pg_proc group by 2
    union all
    select 'pg_proc.proparallel', proparallel, pg_catalog.min((oid::pg_catalog.regprocedure)::pg_catalog.text)
    from pg_catalog.pg_proc group by 2
    union all
    select 'pg_proc.provolatile', provolatile, pg_catalog.min((oid::pg_catalog.regprocedure)::pg_catalog.text)
    from pg_catalog.pg_proc group by 2
    union all
    select 'pg_publication.pubgencols', pubgencols, pg_catalog.min((pubname)::pg_catalog.text)
    from pg_catalog.pg_publication group by 2
    union all
    select 'pg_rewrite.ev_enabled', ev_enabled, pg_catalog.min((rulename)::pg_catalog.text)
    from pg_catalog.pg_rewrite group by 2
    union all
    select 'pg_rewrite.ev_type', ev_type, pg_catalog.min((rulename)::pg_catalog.text)
    from pg_catalog.pg_rewrite group by 2
    union all
    select 'pg_statistic_ext.stxkind', e.letter, pg_catalog.min((stxname)::pg_catalog.text)
    from pg_catalog.pg_statistic_ext cross join lateral pg_catalog.unnest(stxkind) as e(letter) group by 2
    union all
    select 'pg_subscription.substream', substream, pg_catalog.min((subname)::pg_catalog.text)
    from pg_catalog.pg_subscription group by 2
    union all
    select 'pg_subscription.subtwophasestate', subtwophasestate, pg_catalog.min((subname)::pg_catalog.text)
    from pg_catalog.pg_subscription group by 2
    union all
    select 'pg_trigger.tgenabled', tgenabled, pg_catalog.min((tgname)::pg_catalog.text)
    from pg_catalog.pg_trigger group by 2
    union all
    select 'pg_type.typalign', typalign, pg_catalog.min((oid::pg_catalog.regtype)::pg_catalog.text)
    from pg_catalog.pg_type group by 2
    union all
    select 'pg_type.typstorage', typstorage, pg_catalog.min((oid::pg_catalog.regtype)::pg_catalog.text)
    from pg_catalog.pg_type group by 2
    union all
    select 'pg_type.typtype', typtype, pg_catalog.min((oid::pg_catalog.regtype)::pg_catalog.text)
    from pg_catalog.pg_type group by 2
) as l(name, letter, example)
order by 1, 2, 3
