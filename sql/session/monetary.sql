-- The locale of amounts of money, where the database can have any. In a script they can be read in the same locale only.
-- 790 and 791 are money and money[].
select pg_catalog.current_setting('lc_monetary') as monetary
 where exists (select from pg_catalog.pg_attribute a where a.atttypid in (790, 791) and a.attrelid >= 16384 and not a.attisdropped)
    or exists (select from pg_catalog.pg_type t where t.typbasetype in (790, 791))
    or exists (select from pg_catalog.pg_range r where r.rngsubtype in (790, 791))
