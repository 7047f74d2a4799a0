-- The row-level security policies of the relations that are asked about.
select p.oid,
       p.polrelid,
       p.polname,
       p.polcmd,
       p.polpermissive,
       case when p.polroles <> '{0}' then pg_catalog.array_to_string(array(
           select pg_catalog.quote_ident(r.rolname)
           from pg_catalog.pg_roles r
           where r.oid = any (p.polroles)
       ), ', ') end as roles,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using_expression,
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check_expression
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_policy p on p.polrelid = wanted.oid
