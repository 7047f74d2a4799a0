-- Every rule, because a view's dependencies are its rule's; the text only of those that are asked about and are not what
-- makes a view a view.
select r.oid,
       r.rulename,
       r.ev_class,
       r.ev_type,
       r.is_instead,
       r.ev_enabled,
       case
           when wanted.oid is not null and not (r.ev_type = '1' and r.is_instead and c.relkind in ('v', 'm'))
               then pg_catalog.pg_get_ruledef(r.oid)
       end as definition
from pg_catalog.pg_rewrite r
join pg_catalog.pg_class c on c.oid = r.ev_class
left join pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid) on wanted.oid = r.ev_class
order by r.oid
