-- Every access method that a user or an extension made (initdb's oids end at 16383).
select m.oid,
       m.amname,
       m.amtype,
       m.amhandler
from pg_catalog.pg_am m
where m.oid > 16383
  and m.amtype in ('i', 't')
