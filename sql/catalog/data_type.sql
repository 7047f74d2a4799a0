-- Every data type, the built-in ones too: other objects are named by their types.
select t.oid,
       t.typname,
       t.typnamespace,
       pg_catalog.pg_get_userbyid(t.typowner) as owner,
       t.typacl as acl,
       pg_catalog.acldefault('T', t.typowner) as acl_default,
       pg_catalog.format_type(t.oid, null) as formatted,
       t.typtype,
       t.typisdefined,
       t.typelem,
       t.typrelid,
       c.relkind,
       coalesce(e.typarray = t.oid, false) as is_array
from pg_catalog.pg_type t
left join pg_catalog.pg_class c on c.oid = t.typrelid
left join pg_catalog.pg_type e on e.oid = t.typelem
where t.typtype in ('b', 'c', 'd', 'e', 'p', 'r', 'm') -- see unsupported.sql
