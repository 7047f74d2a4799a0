-- The subscriptions of database $1: as long as it has one it cannot be dropped.
select subscription.subname as name
from pg_catalog.pg_subscription as subscription
join pg_catalog.pg_database as database on database.oid operator(pg_catalog.=) subscription.subdbid
where database.datname operator(pg_catalog.=) $1
order by subscription.subname
