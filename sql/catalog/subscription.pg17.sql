-- The subscriptions of this database. Their connection strings may hold passwords, and only superusers may read them.
select s.oid,
       s.subname,
       pg_catalog.pg_get_userbyid(s.subowner) as owner,
       s.subconninfo,
       s.subslotname,
       s.subsynccommit,
       s.subpublications,
       s.subbinary as subbinary,
       s.substream as substream,
       s.subtwophasestate as subtwophasestate,
       s.subdisableonerr as subdisableonerr,
       s.subpasswordrequired as subpasswordrequired,
       s.subrunasowner as subrunasowner,
       s.suborigin as suborigin,
       s.subfailover as subfailover
from pg_catalog.pg_subscription s
where s.subdbid = (select d.oid from pg_catalog.pg_database d where d.datname = pg_catalog.current_database())
