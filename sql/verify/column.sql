-- The columns of these relations, in order.
select a.attrelid as relation,
       a.attname as name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) as data_type,
       a.attnotnull as not_null,
       pg_catalog.pg_get_expr(d.adbin, d.adrelid) as default_expression,
       a.attgenerated as generated,
       a.attidentity as identity,
       case when a.attcollation <> t.typcollation then a.attcollation::pg_catalog.regcollation::text end as "collation",
       (select pg_catalog.array_agg(item::text order by item::text collate "C") from pg_catalog.unnest(a.attacl) as item) as acl,
       null as acl_default
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted (relation)
join pg_catalog.pg_attribute a on a.attrelid = wanted.relation
join pg_catalog.pg_type t on t.oid = a.atttypid
left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
where a.attnum > 0
  and not a.attisdropped
order by a.attrelid, a.attnum
