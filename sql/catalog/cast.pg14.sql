-- Every cast that a user or an extension made (initdb's oids end at 16383). The cast from a range to its multirange
-- comes with the range type.
select c.oid,
       s.typname || ' ' || t.typname as name,
       c.castsource,
       c.casttarget,
       c.castfunc,
       c.castcontext,
       c.castmethod
from pg_catalog.pg_cast c
join pg_catalog.pg_type s on s.oid = c.castsource
join pg_catalog.pg_type t on t.oid = c.casttarget
where c.oid > 16383
  and c.castmethod in ('f', 'b', 'i')
  and not exists (select
                  from pg_catalog.pg_range r
                  where r.rngtypid = c.castsource and r.rngmultitypid = c.casttarget)
order by c.castsource, c.casttarget
