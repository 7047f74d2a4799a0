-- Which relation inherits from which; the partitions of an index are in it too.
select i.inhrelid,
       i.inhparent
from pg_catalog.pg_inherits i
order by i.inhrelid, i.inhseqno
