-- The relations that each pattern means: $1 are patterns of schemas (null: what is visible without one), $2 of names, $3
-- whether children are meant too. This alone runs under the user's own search_path, so that every name and operator is
-- qualified.
with recursive wanted (number, with_children, oid) as (
    select p.number,
           p.with_children,
           c.oid
    from rows from (
            pg_catalog.unnest($1::pg_catalog.text[]),
            pg_catalog.unnest($2::pg_catalog.text[]),
            pg_catalog.unnest($3::pg_catalog.bool[])
        ) with ordinality as p (schema_pattern, pattern, with_children, number)
    join pg_catalog.pg_class c
        on c.relkind operator(pg_catalog.=) any ('{r,S,v,m,f,p}'::pg_catalog."char"[])
        and c.relname operator(pg_catalog.~) (p.pattern collate pg_catalog."default")
    join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) c.relnamespace
    where case
        when p.schema_pattern is null then pg_catalog.pg_table_is_visible(c.oid)
        else n.nspname operator(pg_catalog.~) (p.schema_pattern collate pg_catalog."default")
    end
    union
    select w.number,
           w.with_children,
           i.inhrelid
    from wanted w
    join pg_catalog.pg_inherits i on i.inhparent operator(pg_catalog.=) w.oid
    where w.with_children
)
select number,
       oid
from wanted
