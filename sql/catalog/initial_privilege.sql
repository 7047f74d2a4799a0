-- what initdb and the extensions' scripts granted: privileges are dumped as differences from these
select p.classoid, p.objoid, p.objsubid, p.privtype, p.initprivs
from pg_catalog.pg_init_privs p
order by p.classoid, p.objoid, p.objsubid;
