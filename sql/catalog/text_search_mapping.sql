-- Which dictionaries these text search configurations look each type of token up in, in order.
select c.oid,
       t.alias,
       m.mapdict::pg_catalog.regdictionary as dictionary
from pg_catalog.pg_ts_config c
join pg_catalog.pg_ts_config_map m on m.mapcfg = c.oid
join lateral pg_catalog.ts_token_type(c.cfgparser) t on t.tokid = m.maptokentype
where c.oid = any ($1::pg_catalog.oid[])
order by c.oid, m.maptokentype, m.mapseqno
