-- Single breakages of a database that holds the sample and the zoo: what class each is of, the statement, and the kind and (a
-- part of) the object of a finding that must name it. Breakages of one class do not disturb each other.
-- Any number of objects of each kind would do; no more than so many are broken of each.
\set most 9

create temp view n as select oid, nspname, quote_ident(nspname) as q from pg_namespace
    where nspname !~ '^pg_' and nspname <> 'information_schema'
      and oid not in (select objid from pg_depend where classid = 'pg_namespace'::regclass and deptype = 'e');
create temp view mine as select classid, objid from (
    select 'pg_class'::regclass::oid as classid, oid as objid, relnamespace as n from pg_class
    union all select 'pg_proc'::regclass, oid, pronamespace from pg_proc
    union all select 'pg_type'::regclass, oid, typnamespace from pg_type
    union all select 'pg_operator'::regclass, oid, oprnamespace from pg_operator
    union all select 'pg_opclass'::regclass, oid, opcnamespace from pg_opclass
    union all select 'pg_opfamily'::regclass, oid, opfnamespace from pg_opfamily
    union all select 'pg_collation'::regclass, oid, collnamespace from pg_collation
    union all select 'pg_conversion'::regclass, oid, connamespace from pg_conversion
    union all select 'pg_statistic_ext'::regclass, oid, stxnamespace from pg_statistic_ext
    union all select 'pg_ts_config'::regclass, oid, cfgnamespace from pg_ts_config
    union all select 'pg_ts_dict'::regclass, oid, dictnamespace from pg_ts_dict
    union all select 'pg_ts_parser'::regclass, oid, prsnamespace from pg_ts_parser
    union all select 'pg_ts_template'::regclass, oid, tmplnamespace from pg_ts_template
    union all select 'pg_constraint'::regclass, oid, connamespace from pg_constraint) o
    where n in (select oid from n)
      and not exists (select from pg_depend d where d.classid = o.classid and d.objid = o.objid and d.deptype = 'e');
-- every relation, with its kind as ALTER names it
create temp view rel as select c.*, n.nspname, n.q as s, format('%s.%I', n.q, c.relname) as name, nspname || '.' || relname as plain,
    case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence'
        when 'c' then 'type' when 'i' then 'index' when 'I' then 'index' else 'table' end as word,
    row_number() over (partition by relkind order by md5(n.nspname || relname)) as place
    from pg_class c join n on n.oid = relnamespace
    where c.oid in (select objid from mine where classid = 'pg_class'::regclass);
create temp view routine as select p.*,
    case when prokind = 'a' and pronargs = 0 then replace(p.oid::regprocedure::text, '()', '(*)') else p.oid::regprocedure::text end as name, n.nspname || '.' || proname as plain, n.nspname,
    case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as word,
    row_number() over (partition by prokind order by md5(n.nspname || proname), p.oid::regprocedure::text) as place
    from pg_proc p join n on n.oid = pronamespace
    where p.oid in (select objid from mine where classid = 'pg_proc'::regclass)
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'i')
      -- these are renamed, moved or dropped below
      and proname not in ('many_types', 'plain', 'no_rows', 'proc', 'moving_sum', 'total', 'longest');
create temp view typ as select t.*, format('%s.%I', n.q, typname) as name, n.nspname || '.' || typname as plain, n.nspname,
    row_number() over (partition by typtype order by md5(n.nspname || typname)) as place
    from pg_type t join n on n.oid = typnamespace
    where t.oid in (select objid from mine where classid = 'pg_type'::regclass)
      and typtype in ('b', 'd', 'e', 'r', 'c') and typisdefined
      and (typrelid = 0 or exists (select from pg_class c where c.oid = typrelid and relkind = 'c'))
      and not exists (select from pg_type e where e.typarray = t.oid);
create temp view con as select k.*, r.name as rel, r.plain as plain, r.nspname,
    row_number() over (partition by contype order by md5(r.plain || conname)) as place
    from pg_constraint k join rel r on r.oid = conrelid
    where coninhcount = 0 and conparentid = 0 and r.relkind in ('r', 'p');
create temp view trg as select t.*, r.name as rel, r.plain as plain, row_number() over (order by md5(r.plain || tgname)) as place
    from pg_trigger t join rel r on r.oid = tgrelid
    where not tgisinternal and r.relkind in ('r', 'p')
      and not exists (select from pg_trigger p where p.tgname = t.tgname and p.oid <> t.oid and p.tgfoid = t.tgfoid);
create temp view pol as select p.*, r.name as rel, r.plain as plain, row_number() over (order by md5(r.plain || polname)) as place
    from pg_policy p join rel r on r.oid = polrelid;
create temp view rul as select w.*, r.name as rel, r.plain as plain from pg_rewrite w join rel r on r.oid = ev_class
    where rulename <> '_RETURN';
create temp view op as select o.*, n.nspname, format('%s.%s (%s, %s)', n.q, oprname, case when oprleft = 0 then 'none' else format_type(oprleft, null) end,
    format_type(oprright, null)) as name from pg_operator o join n on n.oid = oprnamespace
    where o.oid in (select objid from mine where classid = 'pg_operator'::regclass) and oprcode <> 0;
create temp view opc as select c.*, n.nspname, format('%s.%I using %I', n.q, opcname, amname) as name
    from pg_opclass c join n on n.oid = opcnamespace join pg_am on pg_am.oid = opcmethod
    where c.oid in (select objid from mine where classid = 'pg_opclass'::regclass);
create temp view opf as select f.*, n.nspname, format('%s.%I using %I', n.q, opfname, amname) as name
    from pg_opfamily f join n on n.oid = opfnamespace join pg_am on pg_am.oid = opfmethod
    where f.oid in (select objid from mine where classid = 'pg_opfamily'::regclass);
-- what lies in a schema and has nothing but a name
create temp view other as select o.*, format('%s.%I', n.q, o.name) as full_name, n.nspname || '.' || o.name as plain from (
    select 'collation' as word, oid as id, collname as name, collnamespace as n, 'pg_collation'::regclass::oid as class from pg_collation
    union all select 'conversion', oid, conname, connamespace, 'pg_conversion'::regclass from pg_conversion
    union all select 'statistics', oid, stxname, stxnamespace, 'pg_statistic_ext'::regclass from pg_statistic_ext
    union all select 'text search configuration', oid, cfgname, cfgnamespace, 'pg_ts_config'::regclass from pg_ts_config
    union all select 'text search dictionary', oid, dictname, dictnamespace, 'pg_ts_dict'::regclass from pg_ts_dict
    union all select 'text search parser', oid, prsname, prsnamespace, 'pg_ts_parser'::regclass from pg_ts_parser
    union all select 'text search template', oid, tmplname, tmplnamespace, 'pg_ts_template'::regclass from pg_ts_template) o
    join n on n.oid = o.n join mine m on m.classid = o.class and m.objid = o.id;
-- what lies in no schema
create temp view global as
    select 'foreign data wrapper' as word, fdwname as name from pg_foreign_data_wrapper where fdwname <> 'postgres_fdw'
    union all select 'server', srvname from pg_foreign_server
    union all select 'publication', pubname from pg_publication
    union all select 'event trigger', evtname from pg_event_trigger
    union all select 'language', lanname from pg_language where oid > 16383
    union all select 'access method', amname from pg_am where oid > 16383
    union all select 'extension', extname from pg_extension where extname <> 'plpgsql'
    union all select 'schema', nspname from n where nspname <> 'public';

create temp table breakage (class text, statement text, kind text, object text);

-- comments
insert into breakage
select 'comments', format('comment on %s %s is %L', word, name, 'broken'), 'comment', quote_ident(relname) from rel where place <= :most
union all select 'comments', format('comment on column %s.%I is %L', r.name, attname, 'broken'), 'comment', quote_ident(relname) || '.' || quote_ident(attname)
    from rel r join pg_attribute on attrelid = r.oid where attnum = 1 and relkind in ('r', 'v', 'f', 'm', 'p') and not attisdropped and place <= :most
union all select 'comments', format('comment on %s %s is %L', word, name, 'broken'), 'comment', quote_ident(proname) || '(' from routine where place <= :most
union all select 'comments', format('comment on %s %s is %L', case typtype when 'd' then 'domain' else 'type' end, name, 'broken'), 'comment', quote_ident(typname)
    from typ where place <= :most and typtype <> 'c'
union all select 'comments', format('comment on constraint %I on %s is %L', conname, rel, 'broken'), 'comment', quote_ident(conname) || ' ON' from con where place <= :most and contype <> 't'
union all select 'comments', format('comment on trigger %I on %s is %L', tgname, rel, 'broken'), 'comment', quote_ident(tgname) || ' ON' from trg where place <= :most
union all select 'comments', format('comment on policy %I on %s is %L', polname, rel, 'broken'), 'comment', quote_ident(polname) || ' ON' from pol where place <= :most
union all select 'comments', format('comment on rule %I on %s is %L', rulename, rel, 'broken'), 'comment', quote_ident(rulename) || ' ON' from rul
union all select 'comments', format('comment on operator %s is %L', name, 'broken'), 'comment', 'OPERATOR ' || oprname from op
union all select 'comments', format('comment on operator class %s is %L', name, 'broken'), 'comment', quote_ident(opcname) || ' USING' from opc
union all select 'comments', format('comment on operator family %s is %L', name, 'broken'), 'comment', quote_ident(opfname) || ' USING' from opf
union all select 'comments', format('comment on %s %s is %L', word, full_name, 'broken'), 'comment', quote_ident(name) from other
union all select 'comments', format('comment on %s %I is %L', word, name, 'broken'), 'comment', quote_ident(name) from global
union all select 'comments', format('comment on cast (%s as %s) is %L', castsource::regtype, casttarget::regtype, 'broken'), 'comment', 'CAST' from pg_cast where oid > 16383
union all select 'comments', format('comment on large object %s is %L', oid, 'broken'), 'comment', 'LARGE OBJECT ' || oid from pg_largeobject_metadata where oid::bigint % 3 = 0
union all select 'comments', format('comment on database %I is %L', current_database(), 'broken'), 'comment', 'DATABASE';
-- comments that go away
insert into breakage
select 'comments gone', format('comment on %s %s is null', word, r.name), 'comment', quote_ident(relname)
    from rel r join pg_description d on d.objoid = r.oid and classoid = 'pg_class'::regclass and objsubid = 0 where relkind <> 'c'
union all select 'comments gone', format('comment on column %s.%I is null', r.name, attname), 'comment', quote_ident(relname) || '.' || quote_ident(attname)
    from rel r join pg_description d on d.objoid = r.oid and classoid = 'pg_class'::regclass
    join pg_attribute on attrelid = r.oid and attnum = objsubid
union all select 'comments gone', format('comment on %s %s is null', word, name), 'comment', quote_ident(proname) || '('
    from routine r join pg_description d on d.objoid = r.oid and classoid = 'pg_proc'::regclass;

-- owners
insert into breakage
select 'owners', format('alter %s %s owner to sample_owner', word, name), 'owner', plain from rel r where place <= :most and relkind in ('r', 'v', 'm', 'f')
union all select 'owners', format('alter sequence %s owner to sample_owner', name), 'owner', plain from rel r
    where relkind = 'S' and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = r.oid and d.deptype in ('a', 'i'))
union all select 'owners', format('alter %s %s owner to sample_owner', word, name), 'owner', plain from routine where place <= :most
union all select 'owners', format('alter %s %s owner to sample_owner', case typtype when 'd' then 'domain' else 'type' end, name), 'owner', plain
    from typ where place <= :most
union all select 'owners', format('alter operator %s owner to sample_owner', name), 'owner', nspname || '.' || oprname from op
union all select 'owners', format('alter operator class %s owner to sample_owner', name), 'owner', nspname || '.' || opcname from opc
union all select 'owners', format('alter operator family %s owner to sample_owner', name), 'owner', nspname || '.' || opfname from opf
union all select 'owners', format('alter %s %s owner to sample_owner', word, full_name), 'owner', plain from other
    where word in ('collation', 'conversion', 'statistics', 'text search configuration', 'text search dictionary')
union all select 'owners', format('alter %s %I owner to sample_owner', word, name), 'owner', name from global where word in ('server', 'language', 'schema')
    and name <> 'staff'
union all select 'owners', format('alter large object %s owner to sample_owner', oid), 'owner', 'LARGE OBJECT' from pg_largeobject_metadata where oid = 77001;

-- rights given
insert into breakage
select 'rights given', format('grant insert on %s to sample_accountant', name), 'rights', plain from rel where place <= :most and relkind in ('r', 'v', 'f', 'm')
union all select 'rights given', format('grant references (%I) on %s to sample_accountant', attname, r.name), 'rights', plain || '.' || attname
    from rel r join pg_attribute on attrelid = r.oid where attnum = 1 and relkind in ('r', 'p') and not attisdropped and place between 20 and 30
union all select 'rights given', format('grant usage on sequence %s to sample_accountant', name), 'rights', plain from rel where place <= :most and relkind = 'S'
union all select 'rights given', format('grant execute on %s %s to sample_accountant', case word when 'procedure' then word else 'function' end, name), 'rights', plain
    from routine where place <= :most and prokind <> 'a'
union all select 'rights given', format('grant usage on type %s to sample_accountant', name), 'rights', plain from typ where place <= :most and typtype <> 'c'
union all select 'rights given', format('grant create on schema %I to sample_accountant', name), 'rights', name from global where word = 'schema'
union all select 'rights given', format('grant usage on foreign server %I to sample_accountant', name), 'rights', quote_ident(name) from global where word = 'server'
union all select 'rights given', format('grant usage on foreign data wrapper %I to sample_accountant', name), 'rights', quote_ident(name) from global where word = 'foreign data wrapper'
union all select 'rights given', format('grant select on large object %s to sample_accountant', oid), 'rights', 'LARGE OBJECT' from pg_largeobject_metadata where oid = 77001
union all select 'rights given', format('grant create on database %I to sample_accountant', current_database()), 'rights', 'DATABASE'
union all select 'rights given', 'alter default privileges in schema billing grant select on tables to sample_reader', 'rights', 'TABLES'
union all select 'rights given', 'alter default privileges grant usage on types to sample_reader', 'rights', 'TYPES'
union all select 'rights given', 'alter default privileges for role sample_owner in schema shop grant insert on tables to sample_app', 'rights', 'of sample_owner';
-- rights taken
insert into breakage
select 'rights taken', format('revoke all on %s from %s cascade', name, string_agg(distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end, ', ')), 'rights', plain
    from rel, aclexplode(relacl) a where relkind in ('r', 'p', 'v', 'm', 'f') and a.grantee <> relowner group by name, plain
union all select 'rights taken', format('revoke all on sequence %s from %s', name, string_agg(distinct case a.grantee when 0 then 'public' else a.grantee::regrole::text end, ', ')), 'rights', plain
    from rel, aclexplode(relacl) a where relkind = 'S' and a.grantee <> relowner group by name, plain
union all select 'rights taken', format('revoke all on %s %s from public', case word when 'procedure' then word else 'function' end, name), 'rights', plain from routine where place <= :most and proacl is null
union all select 'rights taken', format('revoke all on type %s from public', name), 'rights', plain from typ where place <= :most and typacl is null and typtype <> 'c'
union all select 'rights taken', 'alter default privileges in schema shop revoke select on tables from sample_reader', 'rights', 'TABLES'
union all select 'rights taken', 'alter default privileges for role sample_owner grant execute on functions to public', 'rights', 'FUNCTIONS'
union all select 'rights taken', format('revoke temporary on database %I from public', current_database()), 'rights', 'DATABASE'
union all select 'rights taken', 'revoke usage on schema shop from sample_app', 'rights', 'shop'
union all select 'rights taken', 'revoke usage on foreign server bare from public', 'rights', 'bare'
union all select 'rights taken', 'revoke usage on language "Mine ""2""" from current_user', 'rights', 'Mine';

-- indexes
insert into breakage
select 'indexes', case place % 3 when 0 then format('drop index %s', name) when 1 then format('alter index %s rename to %I', name, 'broken_' || place)
    else format('alter index %s set (fillfactor = 41)', name) end, 'index', relname
    from rel where relkind = 'i' and place <= 60
      and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass and d.objid = rel.oid and d.deptype in ('i', 'P', 'S'))
      and not exists (select from pg_index i where i.indexrelid = rel.oid and (indisreplident or indisclustered))
      and not exists (select from pg_inherits i where i.inhrelid = rel.oid)
      and (place % 3 <> 2 or exists (select from pg_am where pg_am.oid = relam and amname in ('btree', 'hash', 'gist')))
union all select 'indexes', 'create index extra_index on shop.customer (id)', 'object_unexpected', 'extra_index'
union all select 'indexes', 'alter table shop.category replica identity full', 'definition', 'shop.category'
union all select 'indexes', 'alter table staff.team cluster on team_pkey', 'constraint', 'team_pkey'
union all select 'indexes', 'alter table staff.member replica identity using index member_pkey', 'constraint', 'member_pkey';

-- constraints
insert into breakage
select 'constraints', case when place % 2 = 0 and contype in ('c', 'f', 'x') then format('alter table %s drop constraint %I', rel, conname)
    else format('alter table %s rename constraint %I to %I', rel, conname, 'broken_' || contype::text || place) end, 'constraint', plain || '.' || conname
    from con where place <= 14 and contype in ('c', 'f', 'p', 'u', 'x') and conname not in ('review_stars_in_range', 'invoice_purchase_fkey')
      and not exists (select from pg_inherits i where i.inhparent = conrelid or i.inhrelid = conrelid)
      and not exists (select from pg_constraint k where k.conindid = con.conindid and k.contype = 'f' and con.conindid <> 0)
union all select 'constraints', 'alter table shop.category add constraint extra_check check (id > 0)', 'object_unexpected', 'extra_check'
union all select 'constraints', 'alter table shop.review validate constraint review_stars_in_range', 'constraint', 'review_stars_in_range'
union all select 'constraints', 'alter domain billing.amount drop constraint amount_is_not_negative', 'definition', 'billing.amount'
union all select 'constraints', 'alter domain shop.email add constraint more check (value <> $$x$$)', 'definition', 'shop.email'
union all select 'constraints', 'alter table billing.invoice alter constraint invoice_purchase_fkey deferrable initially deferred', 'constraint', 'invoice_purchase_fkey';

-- triggers
insert into breakage
select 'triggers', case place % 3 when 0 then format('drop trigger %I on %s', tgname, rel)
    when 1 then format('alter trigger %I on %s rename to %I', tgname, rel, 'broken_' || place)
    else format('alter table %s %s trigger %I', rel, case tgenabled when 'D' then 'enable' when 'A' then 'enable' else 'enable always' end, tgname) end, 'trigger', plain || '.' || tgname
    from trg
union all select 'triggers', 'create trigger extra_trigger before delete on shop.category for each row execute function shop.touch()', 'object_unexpected', 'extra_trigger'
union all select 'triggers', format('drop event trigger %I', evtname), 'object_missing', evtname from pg_event_trigger where evtname = 'zoo_off'
union all select 'triggers', format('alter event trigger %I rename to broken_event', evtname), 'object_missing', evtname from pg_event_trigger where evtname = 'zoo_always'
union all select 'triggers', format('alter event trigger %I disable', evtname), 'definition', evtname from pg_event_trigger where evtname in ('zoo_replica', 'zoo e "x"')
union all select 'triggers', 'create event trigger extra_event on sql_drop execute function zoo_trigger.e()', 'object_unexpected', 'extra_event';

-- policies and row-level security
insert into breakage
select 'policies', case place % 3 when 0 then format('drop policy %I on %s', polname, rel)
    when 1 then format('alter policy %I on %s rename to %I', polname, rel, 'broken_' || place)
    else format('alter policy %I on %s to pg_monitor', polname, rel) end, 'policy', plain || '.' || polname from pol
union all select 'policies', 'create policy extra_policy on shop.category using (true)', 'object_unexpected', 'extra_policy'
union all select 'policies', 'alter table shop.address disable row level security', 'row_security', 'shop.address'
union all select 'policies', 'alter table billing.payment no force row level security', 'row_security', 'billing.payment'
union all select 'policies', 'alter table shop.manual enable row level security', 'row_security', 'shop.manual'
union all select 'policies', 'alter table staff.session force row level security', 'row_security', 'staff.session';

-- rules
insert into breakage
select 'rules', case row_number() over (order by md5(plain || rulename)) % 3 when 0 then format('drop rule %I on %s', rulename, rel)
    when 1 then format('alter rule %I on %s rename to %I', rulename, rel, 'broken_' || rulename::text)
    else format('alter table %s %s rule %I', rel, case ev_enabled when 'O' then 'disable' else 'enable' end, rulename) end, null, rulename
    from rul where rel in (select name from rel where relkind = 'r')
union all select 'rules', 'create rule extra_rule as on delete to shop.manual do also nothing', 'object_unexpected', 'extra_rule'
union all select 'rules', 'drop rule customer_overview_is_read_only on shop.customer_overview', null, 'customer_overview_is_read_only';

-- functions, procedures and aggregates
insert into breakage
select 'functions', format('alter %s %s cost 77', word, name), 'routine', plain from routine
    where prokind = 'f' and place <= :most and proname not like '%\_in' and proname not like '%\_out'
union all select 'functions', format('alter %s %s %s', word, name, case provolatile when 'v' then 'stable' else 'volatile' end), 'routine', plain from routine where prokind = 'f' and place between 20 and 28
union all select 'functions', format('alter %s %s security %s', word, name, case when prosecdef then 'invoker' else 'definer' end), 'routine', plain from routine where prokind in ('f', 'p') and place between 30 and 36
union all select 'functions', format('alter %s %s set work_mem = %L', word, name, '77MB'), 'routine', plain from routine where prokind in ('f', 'p') and place between 40 and 45
union all select 'functions', format('alter %s %s parallel %s', word, name, case proparallel when 'u' then 'safe' else 'unsafe' end), 'routine', plain from routine where prokind = 'f' and place between 46 and 52
union all select 'functions', format('alter %s %s %s', word, name, case when proisstrict then 'called on null input' else 'strict' end), 'routine', plain from routine where prokind = 'f' and place between 53 and 58
union all select 'functions', format('alter %s %s leakproof', word, name), 'routine', plain from routine where prokind = 'f' and place between 59 and 62 and not proleakproof
union all select 'functions', $$create or replace function staff.current_team() returns integer language sql stable as 'select 7'$$, 'routine', 'staff.current_team'
union all select 'functions', $$create or replace function shop.touch() returns trigger language plpgsql as 'begin return old; end'$$, 'routine', 'shop.touch'
union all select 'functions', $$create or replace procedure shop.discontinue(which integer) language plpgsql as 'begin end'$$, 'routine', 'shop.discontinue'
union all select 'functions', $$create or replace function shop.with_tax(net numeric, rate numeric default 0.25) returns numeric language sql immutable strict parallel safe as 'select round(net * (1 + rate), 2)'$$, 'routine', 'shop.with_tax'
union all select 'functions', 'alter function audit.record_change() reset search_path', 'routine', 'audit.record_change'
union all select 'functions', 'drop aggregate shop.longest(text)', null, 'shop.longest'
union all select 'functions', 'drop aggregate fun.total(int)', null, 'fun.total'
union all select 'functions', 'create or replace aggregate fun.star(*) (sfunc = int8inc, stype = int8, initcond = 5)', 'routine', 'fun.star'
union all select 'functions', 'alter aggregate fun.moving_sum(int) rename to broken_sum', null, 'fun.moving_sum'
union all select 'functions', 'drop procedure fun.proc()', null, 'fun.proc()'
union all select 'functions', 'alter function fun.plain() rename to broken_plain', null, 'fun.plain()'
union all select 'functions', 'drop function fun.no_rows()', null, 'fun.no_rows()'
union all select 'functions', 'alter function fun.many_types(timestamp with time zone, numeric, bit varying, "char", character, interval, fun.t, fun.t[], anyelement, regclass) set schema public', null, 'fun.many_types'
union all select 'functions', $$create function public.extra_function() returns int language sql as 'select 1'$$, 'object_unexpected', 'extra_function'
union all select 'functions', 'alter function ext.goes_with() no depends on extension pg_trgm', 'routine', 'ext.goes_with';

-- views
insert into breakage
select 'views', format('create or replace view %s as select * from (%s) q where random() >= 0', name, rtrim(pg_get_viewdef(oid), ';')), null, plain
    from rel where relkind = 'v' and place <= 12 and plain not like '%.loop_v' and plain not like 'dep.%' and reloptions is null
union all select 'views', 'alter view shop.customer_overview reset (security_barrier)', null, 'shop.customer_overview'
union all select 'views', 'alter view shop.open_purchase rename to broken_view', null, 'shop.open_purchase'
union all select 'views', 'alter view zoo_view.with_defaults alter column b drop default', null, 'with_defaults'
union all select 'views', 'alter view zoo_view.barrier set (security_barrier = false)', null, 'zoo_view.barrier'
union all select 'views', 'alter view zoo_view.checked set (check_option = cascaded)', null, 'zoo_view.checked'
union all select 'views', 'drop view shop.best_seller', null, 'shop.best_seller'
union all select 'views', 'create view shop.extra_view as select 1 as one', 'object_unexpected', 'extra_view';

-- materialized views
insert into breakage
select 'materialized views', format('refresh materialized view %s with no data', name), 'not_populated', relname from rel where relkind = 'm' and relispopulated and relname <> 'm_options'
union all select 'materialized views', format('alter materialized view %s set (fillfactor = 43)', name), null, plain from rel where relkind = 'm' and place between 8 and 10
union all select 'materialized views', 'alter materialized view shop.sales_by_month alter column revenue set statistics 77', null, 'shop.sales_by_month'
union all select 'materialized views', 'alter materialized view zoo_view.m_options rename to broken_m', null, 'm_options'
union all select 'materialized views', 'drop materialized view zoo_view.m_over', null, 'zoo_view.m_over'
union all select 'materialized views', 'refresh materialized view zoo_view.m_unpopulated', 'object_unexpected', 'm_unpopulated';

-- tables and columns
insert into breakage values
('tables', 'alter table shop.category set (fillfactor = 55)', null, 'shop.category'),
('tables', 'alter table shop.address set unlogged', null, 'shop.address'),
('tables', 'alter table staff.session set logged', null, 'staff.session'),
('tables', 'alter table shop.review alter column body set storage external', null, 'shop.review'),
('tables', 'alter table shop.product alter column title set statistics 77', null, 'shop.product'),
('tables', 'alter table shop.customer alter column tier drop default', 'column', 'shop.customer.tier'),
('tables', 'alter table shop.customer alter column tags set default array[$$x$$]', 'column', 'shop.customer.tags'),
('tables', 'alter table shop.customer alter column credit_limit set (n_distinct = 5)', null, 'shop.customer'),
('tables', 'alter table billing.invoice alter column issued_on drop not null', 'column', 'billing.invoice.issued_on'),
('tables', 'alter table staff.team add column extra_column int', null, 'staff.team.extra_column'),
('tables', 'alter table staff.member drop column badge', 'column', 'staff.member.badge'),
('tables', 'alter table shop.manual alter column language type text', 'column', 'shop.manual.language'),
('tables', 'alter table billing.price_period rename column net_price to gross', 'column', 'billing.price_period.net_price'),
('tables', 'alter table audit.change_archive no inherit audit.change', null, 'audit.change_archive'),
('tables', 'alter table zoo_publication.root detach partition zoo_publication.leaf', null, 'zoo_publication.leaf'),
('tables', 'alter table shop.purchase_2025_h2 set (autovacuum_vacuum_scale_factor = 0.5)', null, 'purchase_2025_h2'),
('tables', 'alter table billing.payment alter column id drop identity', null, 'billing.payment.id'),
('tables', 'alter table shop.product alter column id set generated always', 'column', 'shop.product.id'),
('tables', 'alter table shop.product alter column gross_price drop expression', null, 'shop.product.gross_price'),
('tables', 'alter table shop.product_category rename to broken_table', 'table_missing', 'shop.product_category'),
('tables', 'create table shop.extra_table (a int)', 'object_unexpected', 'extra_table'),
('tables', 'drop table zoo_trigger.forced_only cascade', 'table_missing', 'zoo_trigger.forced_only'),
('tables', 'alter foreign table zoo_foreign.plain options (add broken $$x$$)', null, 'zoo_foreign.plain'),
('tables', 'alter foreign table cat.away alter column a options (set column_name $$c$$)', null, 'cat.away'),
('tables', 'drop foreign table zoo_foreign.options', 'table_missing', 'zoo_foreign.options'),
('tables', 'alter table zoo_statistics.never alter column a type bigint', 'column', 'zoo_statistics.never.a');

-- types and domains
insert into breakage
select 'types', format('alter type %s add value %L', name, 'broken'), null, plain from typ where typtype = 'e' and place <= 6 and name::text <> 'zoo.no_labels'
union all select 'types', 'alter domain billing.amount set default 7', null, 'billing.amount'
union all select 'types', 'alter domain billing.amount drop not null', null, 'billing.amount'
union all select 'types', 'alter domain zoo.of_enum drop default', null, 'zoo.of_enum'
union all select 'types', 'alter domain zoo.not_valid validate constraint later', null, 'zoo.not_valid'
union all select 'types', 'alter domain zoo.full_domain rename constraint "b check" to broken', null, 'zoo.full_domain'
union all select 'types', 'alter domain zoo.timed rename to broken_domain', null, 'zoo.timed'
union all select 'types', 'alter type zoo.changed add attribute broken int', null, 'zoo.changed'
union all select 'types', 'alter type zoo.changed drop attribute moved', null, 'zoo.changed'
union all select 'types', 'alter type zoo.row_in_row drop attribute us', null, 'zoo.row_in_row'
union all select 'types', 'alter type zoo.mood rename value $$"quoted"$$ to $$broken too$$', null, 'zoo.mood'
union all select 'types', 'drop domain zoo.of_domain', null, 'zoo.of_domain'
union all select 'types', 'drop type zoo.no_labels cascade', null, 'zoo.no_labels'
union all select 'types', 'create type shop.extra_type as (a int)', 'object_unexpected', 'extra_type'
union all select 'types', 'alter type zoo.only_declared owner to sample_reader', 'owner', 'zoo.only_declared'
union all select 'types', 'alter type zoo.text_range rename to broken_range', null, 'zoo.text_range'
union all select 'types', 'alter type zoo.mytext set (storage = main)', null, 'zoo.mytext';

-- sequences
insert into breakage
select 'sequences', case place % 4 when 0 then format('alter sequence %s increment 3', name) when 1 then format('alter sequence %s cache 17', name)
    when 2 then format('select setval(%L, 5, true)', name) else format('alter sequence %s cycle', name) end, 'sequence', plain from rel
    where relkind = 'S' and place <= 14 and relname not in ('address_id_seq', 'invoice_number') and not exists (select from pg_sequence q where q.seqrelid = rel.oid and (seqcycle or seqincrement = 3 or seqmin > 5 or seqmax < 5))
union all select 'sequences', 'alter sequence billing.invoice_number owned by none', 'sequence', 'invoice_number'
union all select 'sequences', 'create sequence shop.extra_sequence', 'object_unexpected', 'extra_sequence'
union all select 'sequences', 'alter sequence shop.address_id_seq rename to broken_sequence', null, 'shop.address_id_seq';

-- publications, statistics, text search, foreign data and whatever else has an entry
insert into breakage
select 'publications', 'alter publication sample_changes set (publish = $$insert$$)', 'definition', 'sample_changes'
union all select 'publications', 'alter publication sample_changes drop table shop.category', 'object_missing', 'sample_changes category'
union all select 'publications', 'alter publication sample_changes add table shop.review', 'object_unexpected', 'sample_changes review'
union all select 'publications', 'alter publication zoo_all set (publish_via_partition_root = false)', 'definition', 'zoo_all'
union all select 'publications', 'alter publication zoo_none rename to broken_publication', 'object_missing', 'zoo_none'
union all select 'publications', 'drop publication zoo_empty', 'object_missing', 'zoo_empty'
union all select 'publications', 'create publication extra_publication', 'object_unexpected', 'extra_publication'
union all select 'publications', 'alter publication zoo_schema drop tables in schema zoo_publication', 'object_missing', 'zoo_schema' where current_setting('server_version_num')::int >= 150000
union all select 'publications', 'alter publication zoo_filtered set table zoo_publication.t where (a > 7), zoo_publication.leaf where (true)', 'definition', 'zoo_filtered t' where current_setting('server_version_num')::int >= 150000
union all select 'statistics', 'alter statistics zoo_trigger.s set statistics 77', 'definition', 'zoo_trigger.s'
union all select 'statistics', 'drop statistics zoo_statistics.extended', 'object_missing', 'zoo_statistics.extended'
union all select 'statistics', 'alter statistics "zoo_trigger 2".elsewhere rename to broken', 'object_missing', 'elsewhere'
union all select 'statistics', 'create statistics shop.extra_statistics on id, kind from shop.address', 'object_unexpected', 'extra_statistics'
union all select 'text search', 'alter text search configuration cat.copied drop mapping for email', 'definition', 'cat.copied'
union all select 'text search', 'alter text search configuration cat.empty add mapping for url with pg_catalog.simple', 'definition', 'cat.empty'
union all select 'text search', 'alter text search dictionary cat.dict (accept = true)', 'definition', 'cat.dict'
union all select 'text search', 'alter text search dictionary cat.stemmer rename to broken', 'object_missing', 'cat.stemmer'
union all select 'text search', 'alter text search parser cat.prs rename to broken', 'object_missing', 'cat.prs'
union all select 'text search', 'alter text search template cat.tmpl rename to broken', 'object_missing', 'cat.tmpl'
union all select 'collations', 'alter collation cat.german rename to broken_german', 'object_missing', 'cat.german' where exists (select from pg_collation where collname = 'german')
union all select 'collations', 'drop collation cat.libc', 'object_missing', 'cat.libc'
union all select 'collations', 'drop collation cat.no_case; create collation cat.no_case (provider = icu, locale = $$de$$)', 'definition', 'cat.no_case' where exists (select from pg_collation where collname = 'no_case')
union all select 'collations', 'drop conversion cat.to_utf8', 'object_missing', 'cat.to_utf8'
union all select 'collations', 'create collation cat.extra_collation from "C"', 'object_unexpected', 'extra_collation'
union all select 'foreign data', 'alter server "Full ""s""" version $$2.0$$', 'definition', 'Full "s"'
union all select 'foreign data', 'alter server bare options (add host $$x$$)', 'definition', 'bare'
union all select 'foreign data', 'alter foreign data wrapper dummy options (add host $$x$$)', 'definition', 'dummy'
union all select 'foreign data', 'alter user mapping for current_user server bare options (set password $$other$$)', 'definition', 'SERVER bare'
union all select 'foreign data', 'drop user mapping for public server bare', 'object_missing', 'SERVER bare'
union all select 'foreign data', 'drop user mapping for current_user server "Full ""s"""', 'object_missing', 'SERVER Full "s"'
union all select 'foreign data', 'create server extra_server foreign data wrapper dummy', 'object_unexpected', 'extra_server'
union all select 'foreign data', 'alter foreign data wrapper checked rename to broken_wrapper', 'object_missing', 'checked'
union all select 'operators', 'alter operator ops.< (ops.pair, ops.pair) set (restrict = none)', 'definition', 'OPERATOR ops.<'
union all select 'operators', 'drop operator ops.|||| (text, text)', 'object_missing', 'ops.||||'
union all select 'operators', 'drop operator "Ops ""2"""./| (none, int)', 'object_missing', './|'
union all select 'operators', 'alter operator family ops.shared using btree drop operator 3 (ops.pair, int)', 'definition', 'ops.shared'
union all select 'operators', 'alter operator class ops.nothing using btree rename to broken_class', 'object_missing', 'ops.nothing'
union all select 'operators', 'drop operator family "Ops ""2"""."Empty fam" using hash', 'object_missing', 'Empty fam'
union all select 'operators', 'drop cast (bigint as uuid)', 'object_missing', 'bigint AS uuid'
union all select 'operators', 'drop cast (text as "Ops ""2"""."T x"); create cast (text as "Ops ""2"""."T x") with inout', 'definition', 'CAST (text AS'
union all select 'operators', 'drop transform for int language sql cascade', 'object_missing', 'TRANSFORM'
union all select 'operators', 'alter language untrusted rename to broken_language', 'object_missing', 'untrusted'
union all select 'operators', 'drop access method "B tree"', 'object_missing', 'B tree'
union all select 'operators', 'create operator ops.@@@ (function = pg_catalog.textcat, leftarg = text, rightarg = text)', 'object_unexpected', '@@@'
union all select 'extensions', 'alter extension hstore set schema public', 'extension', 'hstore'
union all select 'extensions', 'drop extension "uuid-ossp" cascade', 'extension', 'uuid-ossp'
union all select 'extensions', 'create extension ltree', null, 'ltree'
union all select 'extensions', 'comment on extension citext is null', 'comment', 'citext'
union all select 'extensions', 'grant select on ext.pg_stat_statements to sample_reader', 'rights', 'pg_stat_statements'
union all select 'schemas', 'alter schema "Zoo ""2""" rename to broken_schema', null, 'Zoo "2"'
union all select 'schemas', 'create schema extra_schema', 'object_unexpected', 'extra_schema'
union all select 'schemas', 'drop schema staff cascade', null, 'staff'
union all select 'settings', format('alter database %I set work_mem = %L', current_database(), '7MB'), 'setting', 'DATABASE'
union all select 'settings', 'select lo_put(77001, 0, $$broken$$)', 'large_objects', 'large objects'
union all select 'settings', 'insert into zoo_statistics.never values (1)', 'row_count', 'zoo_statistics.never'
union all select 'settings', 'update zoo_statistics.unlogged set a = 2', 'row_digest', 'zoo_statistics.unlogged'
union all select 'role settings', format('alter role sample_app in database %I set work_mem = %L', current_database(), '7MB'), 'setting', 'DATABASE'
union all select 'connection limit', format('alter database %I connection limit 7', current_database()), 'setting', 'DATABASE';

select json_agg(json_build_object('class', class, 'statement', statement, 'kind', kind, 'object', object)) from breakage;
