-- Collations, conversions, text search, foreign data and schemas. For an empty database of server 13 or later; run by
-- psql as a superuser. Collations of ICU are made where the server was built with it.
\set ON_ERROR_STOP on
select count(*) > 1 as icu from pg_catalog.pg_collation where collprovider = 'i' \gset
select current_setting('server_version_num')::int >= 150000 as v15,
       current_setting('server_version_num')::int >= 160000 as v16,
       current_setting('server_version_num')::int >= 170000 as v17,
       current_setting('server_version_num')::int >= 180000 as v18 \gset

create schema cat;
create schema "Cat ""2
";
comment on schema "Cat ""2
" is 'two lines';
comment on schema public is 'changed';
revoke create on schema cat from current_user;
set search_path = '';

-- collations
\if :icu
create collation cat.german (provider = icu, locale = 'de-DE-u-co-phonebk');
comment on collation cat.german is 'phone book';
create collation cat.no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
\if :v16
create collation cat.with_rules (provider = icu, locale = '', rules = '&a < ''g'' < \\');
create collation cat.copied_rules from cat.with_rules;
\endif
\endif
create collation cat.libc (provider = libc, locale = 'C');
create collation cat.two_libc (provider = libc, lc_collate = 'C', lc_ctype = 'C.UTF-8');
create collation "Cat ""2
"."Copy of C" from "C";
\if :v17
create collation cat.builtin (provider = builtin, locale = 'C.UTF-8');
\endif
\if :v18
create collation cat.builtin_fast (provider = builtin, locale = 'PG_UNICODE_FAST');
\endif

-- conversions
create conversion cat.to_utf8 for 'LATIN1' to 'UTF8' from iso8859_1_to_utf8;
create default conversion "Cat ""2
"."My Conv" for 'UTF8' to 'LATIN1' from utf8_to_iso8859_1;
comment on conversion cat.to_utf8 is 'from latin';

-- text search
create text search parser cat.prs (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end,
    headline = prsd_headline, lextypes = prsd_lextype);
create text search parser "Cat ""2
"."Min prs" (start = prsd_start, gettoken = prsd_nexttoken, end = prsd_end, lextypes = prsd_lextype);
create text search template cat.tmpl (init = dsimple_init, lexize = dsimple_lexize);
create text search template "Cat ""2
"."Min tmpl" (lexize = dsimple_lexize);
create text search dictionary cat.dict (template = simple, stopwords = 'english', accept = false);
create text search dictionary "Cat ""2
"."My dict" (template = cat.tmpl);
create text search dictionary cat.stemmer (template = pg_catalog.snowball, language = 'German', stopwords = 'german');
create text search configuration cat.copied (copy = pg_catalog.english);
create text search configuration cat.empty (parser = cat.prs);
create text search configuration "Cat ""2
"."My conf" (parser = "Cat ""2
"."Min prs");
alter text search configuration "Cat ""2
"."My conf" add mapping for asciiword, "int", hword with cat.dict, "Cat ""2
"."My dict", pg_catalog.simple;
comment on text search parser cat.prs is 'a parser';
comment on text search template cat.tmpl is 'a template';
comment on text search dictionary cat.dict is 'a dictionary';
comment on text search configuration cat.copied is 'a configuration';

-- foreign data
create foreign data wrapper dummy;
create foreign data wrapper checked validator postgresql_fdw_validator;
create foreign data wrapper "Full ""f""" options (host 'x''y', "Data base" 'a\b');
comment on foreign data wrapper dummy is 'does nothing';
create server bare foreign data wrapper dummy;
create server "Full ""s""" type 'a type' version '1.0''x' foreign data wrapper "Full ""f"""
    options (dbname 'b', host 'a', port '1');
comment on server bare is 'nothing there';
create user mapping for public server bare;
create user mapping for current_user server bare options ("User" 'x''y', password 'back\slash');
create user mapping for current_user server "Full ""s""" options (password 'b', "user" 'a');
revoke usage on foreign data wrapper dummy from public;
grant usage on foreign server bare to public;
grant usage on foreign data wrapper "Full ""f""" to pg_monitor with grant option;
create foreign table cat.away (a int options (column_name 'b'), "C d" text collate "C" not null) server bare
    options ("Table" 'x', schema_name 'y');
