-- Which tables are published by which publication.
select r.oid,
       r.prpubid,
       r.prrelid,
       null as row_filter,
       null as columns
from pg_catalog.pg_publication_rel r
