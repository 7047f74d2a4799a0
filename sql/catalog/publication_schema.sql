-- Which schemas' tables are published by which publication.
select n.oid,
       n.pnpubid,
       n.pnnspid
from pg_catalog.pg_publication_namespace n
