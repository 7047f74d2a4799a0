-- every comment that a dump can need, in the order in which columns are dumped; what initdb made has comments by the
-- thousand, and of all that only schemas are dumped with theirs; large objects may have any oid
select d.classoid, d.objoid, d.objsubid, d.description
from pg_catalog.pg_description d
where d.objoid > 16383 or d.classoid in (2613, 2615)
order by d.classoid, d.objoid, d.objsubid;
