-- The operator classes that a B-tree takes for a column of a type without being told, as far as initdb made them. There is none
-- for varchar: it takes that of text, which it can be read as, unless the database has other types that it can be read as.
select o.oid,
       o.opcintype
from pg_catalog.pg_opclass o
where o.opcmethod = 403
  and o.opcdefault
  and o.oid <= 16383
union all
select o.oid,
       'pg_catalog.varchar'::pg_catalog.regtype
from pg_catalog.pg_opclass o
where o.opcmethod = 403
  and o.opcdefault
  and o.oid <= 16383
  and o.opcintype = 'pg_catalog.text'::pg_catalog.regtype
  and not exists (select
                  from pg_catalog.pg_opclass other
                  where other.opcmethod = 403
                    and other.opcintype = 'pg_catalog.varchar'::pg_catalog.regtype
                    and other.opcdefault)
  and not exists (select
                  from pg_catalog.pg_cast k
                  where k.castsource = 'pg_catalog.varchar'::pg_catalog.regtype
                    and k.castmethod = 'b'
                    and k.oid > 16383)
