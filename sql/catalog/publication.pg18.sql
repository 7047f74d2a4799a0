-- Every publication.
select p.oid,
       p.pubname,
       pg_catalog.pg_get_userbyid(p.pubowner) as owner,
       p.puballtables,
       p.pubinsert,
       p.pubupdate,
       p.pubdelete,
       p.pubtruncate,
       p.pubviaroot,
       p.pubgencols as pubgencols
from pg_catalog.pg_publication p
