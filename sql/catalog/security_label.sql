-- every security label of an object of this database
select l.classoid, l.objoid, l.objsubid, l.provider, l.label
from pg_catalog.pg_seclabel l
order by l.classoid, l.objoid, l.objsubid, l.provider;
