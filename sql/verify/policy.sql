-- The row-level security policies of these relations.
select p.polrelid as relation,
       p.polname as name,
       case p.polcmd when '*' then 'ALL' when 'r' then 'SELECT' when 'a' then 'INSERT' when 'w' then 'UPDATE' when 'd' then 'DELETE' end as command,
       p.polpermissive as permissive,
       (select pg_catalog.array_agg(case when role = 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(role)::text end
                                    order by case when role = 0 then 'PUBLIC' else pg_catalog.pg_get_userbyid(role)::text end collate "C")
        from pg_catalog.unnest(p.polroles) as role) as roles,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using_expression,
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check_expression
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted (relation)
join pg_catalog.pg_policy p on p.polrelid = wanted.relation
order by p.polrelid, p.polname collate "C"
