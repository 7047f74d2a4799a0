-- The rows of the sample database: about 140,000, the same on every run and every major. Values come from the row number by
-- arithmetic, not from random(), whose sequence changed with PostgreSQL 15.
--   psql -v scale=10 ...    ten times the customers and their purchases

\if :{?scale}
\else
\set scale 1
\endif

set client_min_messages = warning;
set timezone = 'UTC';
-- A foreign key to a partitioned table would be planned anew for every row.
set plan_cache_mode = force_generic_plan;
begin;

insert into shop.category (id, parent_id, "Name", path)
select i, case when i > 8 then (i - 1) % 8 + 1 end, 'Category ' || i,
       case when i > 8 then array['Category ' || ((i - 1) % 8 + 1), 'Category ' || i] else array['Category ' || i] end
from generate_series(1, 40) i;

insert into shop.product (sku, title, net_price, size, price_corridor, attributes, picture, discontinued, updated_at)
select 'SKU-' || lpad(i::text, 6, '0'),
       (array['Lamp', 'Chair', 'Table', 'Shelf', 'Café "Noir"', 'Tab' || chr(9) || 'Line' || chr(10) || 'Back\slash', 'Ёлка', '椅子'])[i % 8 + 1] || ' ' || i,
       (i * 37 % 49900 + 100) / 100.0,
       case when i % 5 > 0 then row(i % 900 + 10, i * 7 % 900 + 10, nullif(i % 4, 0))::shop.dimension end,
       shop.price_range((i % 50)::numeric, (i % 50 + 100)::numeric, '[)'),
       case when i % 11 > 0 then jsonb_build_object('colour', (array['red', 'green', 'blue'])[i % 3 + 1], 'weight', i % 17 / 4.0, 'eco', i % 2 = 0) end,
       case when i % 10 = 0 then decode(repeat(md5(i::text), i % 60 + 1), 'hex') end,
       i % 29 = 0,
       timestamptz '2025-01-01 00:00+00' + i * interval '1 hour'
from generate_series(1, 500) i;

insert into shop.product_category (product_id, category_id)
select 999 + i, c * 13 % 40 + 1 from generate_series(1, 500) i, generate_series(i, i + i % 3) c;

insert into shop.customer (email, full_name, tier, tags, profile, credit_limit, external_id, created_at, updated_at)
select 'user' || i || '@example.' || (array['com', 'org', 'net'])[i % 3 + 1],
       (array['Ada', 'Björn', 'Chloë', 'Дмитрий', 'Eve', '富士'])[i % 6 + 1] || ' ' || (array['Smith', 'O''Neil', 'Müller', 'da Silva'])[i % 4 + 1] || ' ' || i,
       (array['free', 'free', 'free', 'plus', 'business'])[i % 5 + 1]::shop.tier,
       case i % 4 when 0 then '{}' when 1 then array['new'] when 2 then array['vip', 'has "quote"'] else array[null, 'a,b', ''] end,
       jsonb_build_object('newsletter', i % 2 = 0, 'language', (array['de', 'en', 'ja'])[i % 3 + 1], 'logins', i::bigint * 7919 % 1000),
       i % 1000 * 2.5,
       md5('customer ' || i)::uuid,
       timestamptz '2024-06-01 00:00+00' + i % 8760 * interval '1 hour',
       timestamptz '2025-06-01 00:00+00' + i % 8760 * interval '1 minute'
from generate_series(1, 5000 * :scale) i;

insert into shop.address (customer_id, kind, street, city, country, position_at)
select i, (array['home', 'work'])[k], i || ' ' || (array['Main St', 'Hauptstraße', 'Rue de l''Église'])[i % 3 + 1],
       (array['Berlin', 'Paris', 'Kyōto', 'São Paulo', 'Leeds'])[(i + k) % 5 + 1], (array['DE', 'FR', 'JP', 'BR', 'GB'])[(i + k) % 5 + 1],
       case when i % 3 = 0 then point(i % 180, i % 90 / 8.0) end
from generate_series(1, 5000 * :scale) i, generate_series(1, 1 + i % 2) k;

insert into shop.purchase (id, customer_id, ordered_at, status, note)
select i, i * 31 % (5000 * :scale) + 1,
       timestamptz '2024-11-01 00:00+00' + (i % 20000) * interval '47 minutes' + i * interval '1 microsecond',
       (array['open', 'paid', 'sent', 'returned'])[i % 4 + 1],
       case when i % 9 = 0 then 'Please ring ' || repeat('twice ', i % 5 + 1) end
from generate_series(1, 20000 * :scale) i;

insert into shop.purchase_line (purchase_id, ordered_at, line_number, product_id, quantity, unit_price)
select p.id, p.ordered_at, n, 1000 + (p.id * n * 17 % 500), 1 + (p.id + n) % 9, ((p.id * n * 37) % 49900 + 100) / 100.0
from shop.purchase p, generate_series(1, 1 + p.id % 4) n;

insert into shop.review (product_id, customer_id, stars, body, written_on, rating_weight)
select 1000 + i % 500, nullif(i / 500 + 1 + i % 500 * 10, 77), 1 + i % 5,
       case i % 4 when 0 then null when 1 then '' when 2 then '\N is not null' else 'Good.' || chr(13) || chr(10) || repeat('Really good. ', i % 40) end,
       date '2025-01-01' + i % 500,
       case i % 50 when 0 then float8 'NaN' when 1 then 'Infinity' when 2 then '-Infinity' else 1.0 / (i % 7 + 1)::float8 end
from generate_series(0, 3999) i;

insert into billing.invoice (purchase_id, ordered_at, issued_on, total)
select p.id, p.ordered_at, (p.ordered_at at time zone 'UTC')::date + 1, t.total
from shop.purchase p
    join (select purchase_id, ordered_at, sum(total) as total from shop.purchase_line group by 1, 2) t
        on t.purchase_id = p.id and t.ordered_at = p.ordered_at
where p.status <> 'open'
order by p.id;

insert into billing.payment (invoice_number, method, amount, paid_at, received_from, period)
select number, (array['card', 'transfer', 'voucher'])[number / 10 % 3 + 1]::billing.method, total, issued_on + time '12:34:56.789',
       ('192.0.2.' || number % 256)::inet, case when number % 3 = 0 then (number % 90) * interval '1 day 02:03:04' end
from billing.invoice order by number;

insert into billing.price_period (product_id, valid_during, net_price)
select 1000 + i, daterange(date '2025-01-01' + q * 90, date '2025-01-01' + (q + 1) * 90), 5 + i % 100 + q
from generate_series(0, 499) i, generate_series(0, 3) q;

insert into staff.team (id, name) select i, 'Team ' || i from generate_series(1, 6) i;
insert into staff.member (id, team_id, login, salary, hired_on, badge)
select i, i % 6 + 1, 'member' || i, 3000 + i * 13 % 4000, date '2015-01-01' + i * 11, i::bit(16) from generate_series(1, 120) i;
update staff.team set lead_id = id * 6 - 1;
insert into staff.session (token, member_id, seen_at)
select decode(md5('session ' || i), 'hex'), i % 120 + 1, timestamptz '2026-01-01 00:00+00' + i * interval '1 second' from generate_series(1, 200) i;

insert into audit.change_archive (id, relation, operation, new_row)
select -i, 'shop.customer', 'INSERT', jsonb_build_object('id', i) from generate_series(1, 1000) i;
update shop.product set net_price = net_price + 1 where id % 50 = 0;

-- Numbers are given, so that every run makes the same database.
insert into shop.manual (product_id, content, language)
select 1000 + i, lo_from_bytea((900000 + i)::oid, convert_to(repeat('Manual of product ' || i || E'\n', i * 400 + 1), 'UTF8')), 'en'
from generate_series(0, 19) i;
comment on large object 900001 is 'The manual of product 1001';
grant select on large object 900001 to sample_reader;
alter large object 900002 owner to sample_owner;

commit;

refresh materialized view shop.sales_by_month;
analyze;
