-- What these base types are made of. Array types are base types too, but come with their element type.
select t.oid,
       t.typlen,
       t.typinput,
       t.typoutput,
       t.typreceive,
       t.typsend,
       t.typmodin,
       t.typmodout,
       t.typanalyze,
       '-' as typsubscript,
       t.typcollation <> 0 as is_collatable,
       pg_catalog.pg_get_expr(t.typdefaultbin, 0) as default_expression,
       t.typdefault,
       t.typcategory,
       t.typispreferred,
       t.typdelim,
       t.typalign,
       t.typstorage,
       t.typbyval
from pg_catalog.pg_type t
left join pg_catalog.pg_type e on e.oid = t.typelem
where t.oid = any ($1::pg_catalog.oid[])
  and t.typtype = 'b'
  and e.typarray is distinct from t.oid
order by t.oid
