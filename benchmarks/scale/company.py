"""Writes a made-up company of any size with set-based SQL: accounts, a site each, visits over two years."""

from sqlalchemy import Engine, text

NAMES = "Amann Beck Batliner Frick Hasler Hoop Kind Marxer Meier Nigg Ospelt Quaderer Ritter Schaedler Vogt Wolff Zech"
TRADES = "Baeckerei Garage Hotel Apotheke Metzgerei Schreinerei Zahnarzt Gasthof Optik Elektro Velo Blumen Treuhand"
TOWNS = "Vaduz Schaan Balzers Triesen Eschen Mauren Ruggell Buchs Sargans Feldkirch Altstaetten Chur Bregenz Dornbirn"

ACCOUNTS = """
insert into account (id, number, name, account_class, status, owner_id, yearly_value, phone, phone_e164, email, tags,
    last_visit_on, created_at)
select gen_random_uuid(), 'K' || lpad(n::text, 8, '0'),
    (array['Bäckerei','Garage','Hotel','Apotheke','Metzgerei','Schreinerei','Zahnarzt','Gasthof','Optik','Elektro'])
        [1 + n % 10] || ' ' || initcap(translate(left(md5((n % 40000)::text), 7), '0123456789', 'aeiouklmnr')) || ' '
        || (array['GmbH','AG','OHG','KG','e.K.'])[1 + n % 5],
    (array['A','B','B','C','C','C',null])[1 + n % 7], (array['customer','customer','prospect','former'])[1 + n % 4],
    (select u.ids[1 + n % cardinality(u.ids)] from (select array_agg(id order by login) ids from app_user) u),
    (hashint4(n) & 65535)::numeric, '+423 ' || lpad((n % 10000000)::text, 7, '0'),
    '+423' || lpad((n % 10000000)::text, 7, '0'), 'info' || n || '@example.org',
    case n % 5 when 0 then '{vip}' when 1 then '{new,key}' else '{}' end::text[],
    case when n % 3 > 0 then current_date - (hashint4(n * 7) & 511) end, now() - (n % 900) * interval '1 day'
from generate_series(1, :accounts) n
"""
SITES = """
insert into site (id, account_id, is_main, street, postcode, city, country, pin, pin_state, grade, uncertainty_m)
select gen_random_uuid(), a.id, true, 'Gewerbeweg ' || (hashtext(a.number) & 255),
    (9000 + (hashtext(a.number) & 511))::text,
    (string_to_array(:towns, ' '))[1 + (hashtext(a.number) & 1023) % 14], 'LI',
    st_setsrid(st_makepoint(5 + (hashtext(a.number) & 65535) / 8192.0,
        45 + (hashtext(a.number || 'y') & 65535) / 8192.0), 4326), 'placed', 'rooftop', 10
from account a
"""
VISITS = """
insert into visit (id, account_id, rep_id, day, zone, state, outcome)
select gen_random_uuid(), a.id, a.owner_id, current_date - (hashtext(a.number || k) & 1023) % 730, 'Europe/Vaduz',
    (array['done','done','done','missed'])[1 + (hashtext(a.number || k) & 3)],
    (array['order','follow_up','information',null])[1 + (hashtext(a.number || k) >> 3 & 3)]
from account a, generate_series(1, :each) k
"""


def fill(engine: Engine, *, accounts: int, visits_each: int) -> None:
    """Write the company; secondary indexes are taken away meanwhile and made anew."""
    with engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("set local maintenance_work_mem = '512MB'"))
        connection.execute(text("set local work_mem = '256MB'"))
        defined = connection.execute(
            text(
                "select indexname, indexdef from pg_indexes where schemaname = 'public' and indexname like 'ix%'"
                " and indexname <> 'ix_site_account_id'"
                " and tablename in ('account', 'site', 'visit', 'search_entry')"
            )
        ).all()
        for name, _ in defined:
            connection.execute(text(f"drop index {name}"))
        connection.execute(text(ACCOUNTS), {"accounts": accounts})
        connection.execute(text(SITES), {"towns": TOWNS})
        connection.execute(text(VISITS), {"each": visits_each})
        connection.execute(
            text(
                "insert into search_entry (kind, row_id, account_id, title, detail, words, digits, owner_id, at)"
                " select 'account', a.id, a.id, a.name, concat_ws(', ', s.street, concat_ws(' ', s.postcode, s.city)),"
                " search_text(concat_ws(' ', a.name, a.number, a.email, s.name, s.street, s.postcode, s.city)),"
                " regexp_replace(a.phone_e164, '\\D', '', 'g'), a.owner_id, a.updated_at"
                " from account a join site s on s.account_id = a.id and s.is_main"
            )
        )
        for _, definition in defined:
            connection.execute(text(definition))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze account, site, visit, search_entry"))
