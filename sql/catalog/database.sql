-- The database of this session.
select d.oid,
       d.datname,
       pg_catalog.pg_get_userbyid(d.datdba) as owner,
       pg_catalog.pg_encoding_to_char(d.encoding) as encoding,
       'c'::"char" as provider,
       d.datcollate,
       d.datctype,
       null::pg_catalog.text as locale,
       null::pg_catalog.text as icu_rules,
       t.spcname as tablespace,
       d.datconnlimit,
       d.datistemplate,
       pg_catalog.shobj_description(d.oid, 'pg_database') as comment,
       d.datacl as acl,
       pg_catalog.acldefault('d', d.datdba) as acl_default
from pg_catalog.pg_database d
join pg_catalog.pg_tablespace t on t.oid = d.dattablespace
where d.datname = pg_catalog.current_database()
