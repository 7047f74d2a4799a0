-- Every tablespace but the built-in ones.
select t.spcname,
       pg_catalog.pg_get_userbyid(t.spcowner) as owner,
       pg_catalog.pg_tablespace_location(t.oid) as location,
       t.spcoptions as options,
       t.spcacl as acl,
       pg_catalog.acldefault('t', t.spcowner) as acl_default,
       pg_catalog.shobj_description(t.oid, 'pg_tablespace') as comment,
       labels.providers as label_providers,
       labels.labels as labels
from pg_catalog.pg_tablespace t
cross join lateral (
    select pg_catalog.array_agg(l.provider order by l.provider) as providers,
           pg_catalog.array_agg(l.label order by l.provider) as labels
    from pg_catalog.pg_shseclabel l
    where l.classoid = 'pg_catalog.pg_tablespace'::pg_catalog.regclass and l.objoid = t.oid
) labels
where t.spcname !~ '^pg_'
order by t.spcname collate "C"
