-- The columns of the relations that are asked about, dropped ones too. A not-null constraint that is not valid is no
-- property of its column: it is read with the constraints.
select a.attrelid,
       a.attnum,
       a.attname,
       pg_catalog.format_type(t.oid, a.atttypmod) as type_name,
       a.atttypid,
       a.attcollation,
       a.attstattarget,
       a.attstorage,
       t.typstorage,
       a.attcompression as attcompression,
       a.attidentity,
       a.attgenerated,
       a.attisdropped,
       a.attislocal,
       a.attnotnull,
       a.atthasdef,
       a.attnotnull and n.oid is null and c.relkind in ('r', 'p', 'f')
           and not exists (select
                           from pg_catalog.pg_constraint x
                           where x.conrelid = a.attrelid and x.contype = 'n' and x.conkey = array[a.attnum])
           as lacks_not_null,
       n.oid as not_null_oid,
       n.conname as not_null_name,
       n.connoinherit as not_null_no_inherit,
       n.conislocal as not_null_is_local,
       a.attoptions as options,
       case when a.attfdwoptions is not null then array(
           select pg_catalog.quote_ident(o.option_name) || ' ' || pg_catalog.quote_literal(o.option_value)
           from pg_catalog.pg_options_to_table(a.attfdwoptions) o
           order by o.option_name
       ) end as foreign_options,
       coll.collname as collation,
       collschema.nspname as collation_schema
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_class c on c.oid = wanted.oid and c.relkind <> 'S'
join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0
left join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_collation coll on coll.oid = a.attcollation and a.attcollation <> t.typcollation
left join pg_catalog.pg_namespace collschema on collschema.oid = coll.collnamespace
left join pg_catalog.pg_constraint n
    on n.conrelid = a.attrelid and n.contype = 'n' and n.conkey = array[a.attnum] and n.convalidated
order by a.attrelid, a.attnum
