-- The triggers of the relations that are asked about. A partition's copy of its parent's trigger matters only where it
-- is enabled in another way.
select t.oid,
       t.tgrelid,
       t.tgname,
       t.tgenabled,
       t.tgisinternal as is_copy,
       pg_catalog.pg_get_triggerdef(t.oid, false) as definition
from pg_catalog.unnest($1::pg_catalog.oid[]) as wanted(oid)
join pg_catalog.pg_trigger t on t.tgrelid = wanted.oid
left join pg_catalog.pg_trigger parent on parent.oid = t.tgparentid
where not t.tgisinternal
   or t.tgenabled <> parent.tgenabled
order by t.tgrelid, t.tgname
