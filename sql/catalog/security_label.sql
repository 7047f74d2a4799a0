-- every security label of an object of this database; subscriptions are the cluster's, and those of other databases no object of ours
select l.classoid, l.objoid, l.objsubid, l.provider, l.label
from pg_catalog.pg_seclabel l
union all
select l.classoid, l.objoid, 0 as objsubid, l.provider, l.label
from pg_catalog.pg_shseclabel l
where l.classoid = 'pg_catalog.pg_subscription'::pg_catalog.regclass
order by classoid, objoid, objsubid, provider;
