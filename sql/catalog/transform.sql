-- Every transform.
select f.oid,
       t.typname || ' ' || pg_catalog.quote_ident(l.lanname) as name,
       f.trftype,
       l.lanname,
       f.trffromsql::pg_catalog.oid as from_sql,
       f.trftosql::pg_catalog.oid as to_sql
from pg_catalog.pg_transform f
join pg_catalog.pg_type t on t.oid = f.trftype
join pg_catalog.pg_language l on l.oid = f.trflang
order by f.trftype, f.trflang
