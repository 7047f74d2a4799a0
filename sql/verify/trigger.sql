-- The triggers of these relations that a user made.
select t.tgrelid as relation,
       t.tgname as name,
       pg_catalog.pg_get_triggerdef(t.oid) as definition,
       t.tgenabled as enabled
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted (relation)
join pg_catalog.pg_trigger t on t.tgrelid = wanted.relation
where not t.tgisinternal
  -- a partition's clone of its parent's trigger is internal before 15 only
  and t.tgparentid = 0
order by t.tgrelid, t.tgname collate "C"
