-- Every event trigger.
select e.oid,
       e.evtname,
       pg_catalog.pg_get_userbyid(e.evtowner) as owner,
       e.evtevent,
       e.evtenabled,
       pg_catalog.array_to_string(array(
           select pg_catalog.quote_literal(t.tag) from pg_catalog.unnest(e.evttags) as t(tag)
       ), ', ') as tags,
       e.evtfoid::pg_catalog.regproc as function
from pg_catalog.pg_event_trigger e
order by e.oid
