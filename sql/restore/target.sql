-- What a database holds that is neither the system's nor an extension's.
select
    count(*) as object_count,
    pg_catalog.array_agg(found.name order by found.name) filter (where found.place <= 5) as names
from (
    select
        existing.name,
        pg_catalog.row_number() over (order by existing.rank, existing.name) as place
    from (
        select 1 as rank, pg_catalog.format('%I.%I', schema.nspname, relation.relname) as name
        from pg_catalog.pg_class as relation
        join pg_catalog.pg_namespace as schema on schema.oid = relation.relnamespace
        where relation.relkind in ('r', 'p', 'v', 'm', 'S', 'f', 'c')
            and schema.nspname !~ '^pg_' and schema.nspname <> 'information_schema'
            and not exists (
                select from pg_catalog.pg_depend as member
                where member.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                    and member.objid = relation.oid and member.deptype = 'e')
            -- that a composite type is an extension's is told of the type
            and not exists (
                select from pg_catalog.pg_depend as member
                where relation.relkind = 'c'
                    and member.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                    and member.objid = relation.reltype and member.deptype = 'e')
        union all
        select 2, pg_catalog.format('%I.%I()', schema.nspname, routine.proname)
        from pg_catalog.pg_proc as routine
        join pg_catalog.pg_namespace as schema on schema.oid = routine.pronamespace
        where schema.nspname !~ '^pg_' and schema.nspname <> 'information_schema'
            and not exists (
                select from pg_catalog.pg_depend as member
                where member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
                    and member.objid = routine.oid and member.deptype = 'e')
        union all
        select 3, pg_catalog.format('%I.%I', schema.nspname, type.typname)
        from pg_catalog.pg_type as type
        join pg_catalog.pg_namespace as schema on schema.oid = type.typnamespace
        where type.typtype in ('d', 'e', 'r') and schema.nspname !~ '^pg_' and schema.nspname <> 'information_schema'
            and not exists (
                select from pg_catalog.pg_depend as member
                where member.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
                    and member.objid = type.oid and member.deptype = 'e')
        union all
        select 4, pg_catalog.format('schema %I', schema.nspname)
        from pg_catalog.pg_namespace as schema
        where schema.nspname !~ '^pg_' and schema.nspname not in ('information_schema', 'public')
            and not exists (
                select from pg_catalog.pg_depend as member
                where member.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                    and member.objid = schema.oid and member.deptype = 'e')
        union all
        select 5, pg_catalog.format('large object %s', object.oid)
        from pg_catalog.pg_largeobject_metadata as object
    ) as existing
) as found
