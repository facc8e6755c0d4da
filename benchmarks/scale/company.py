"""Writes a made-up company of any size with set-based SQL: `--accounts` scales everything.

Of each account: a site, a person, two visits, two calls or tasks and a note; of every second one an order, of every
fifth a deal and a ticket, of every tenth a lead. One account has 10,000 entries in its timeline, one board 2,000 deals.
"""

from typing import Any

from sqlalchemy import Connection, Engine, text

TOWNS = "Vaduz Schaan Balzers Triesen Eschen Mauren Ruggell Buchs Sargans Feldkirch Altstaetten Chur Bregenz Dornbirn"
TRADES = (
    "Bäckerei Garage Hotel Apotheke Metzgerei Schreinerei Zahnarzt Gasthof Optik Elektro Gärtnerei Druckerei Kiosk"
    " Fahrschule Drogerie Spenglerei Malerei Treuhand Reisebüro Fitness Kosmetik Coiffeur Restaurant Café Bar Imbiss"
    " Tankstelle Werkstatt Bauunternehmung Architektur Praxis Physiotherapie Tierarzt Buchhandlung Papeterie Schuhhaus"
    " Modehaus Juwelier Spielwaren Weinhandlung"
)
STREETS = " ".join(
    stem + end
    for stem in (
        "Gewerbe Bahnhof Haupt Kirch Schul Dorf Wiesen Feld Wald Berg Mühle Linden Garten Ober Unter Neu Rhein Markt"
        " Industrie Schloss"
    ).split()
    for end in ("weg", "strasse", "gasse")
)
LONG_STORY = 10_000
"""Entries of the account with the number K00000001."""
BOARD_DEALS = 2_000
TABLES = (
    "account", "site", "contact", "contact_account", "visit", "activity", "note", "opportunity", "sales_order",
    "ticket", "lead", "search_entry",
)  # fmt: skip
KINDS = {
    "account": "account", "contact": "contact", "lead": "lead", "opportunity": "opportunity", "order": "sales_order",
    "ticket": "ticket",
}  # fmt: skip
"""What can be found, and its table."""

ACCOUNTS = """
insert into account (id, number, name, account_class, status, owner_id, yearly_value, phone, phone_e164, email, tags,
    last_visit_on, created_at)
select gen_random_uuid(), 'K' || lpad(n::text, 8, '0'),
    (string_to_array(:trades, ' '))[1 + n % 40] || ' '
        || initcap(translate(left(md5((n % 40000)::text), 7), '0123456789', 'aeiouklmnr')) || ' '
        || (array['GmbH','AG','OHG','KG','e.K.'])[1 + n % 5],
    (array['A','B','B','C','C','C',null])[1 + n % 7], (array['customer','customer','prospect','former'])[1 + n % 4],
    u.ids[1 + n % cardinality(u.ids)],
    (hashint4(n) & 65535)::numeric, '+423 ' || lpad((n * 7919123::bigint % 10000000)::text, 7, '0'),
    '+423' || lpad((n * 7919123::bigint % 10000000)::text, 7, '0'), 'info' || n || '@example.org',
    case n % 5 when 0 then '{vip}' when 1 then '{new,key}' else '{}' end::text[],
    case when n % 3 > 0 then current_date - (hashint4(n * 7) & 511) end, now() - (n % 900) * interval '1 day'
from generate_series(1, :accounts) n, (select array_agg(id order by login) as ids from app_user) u
"""
NUMBERED = (
    "create temporary table numbered on commit drop as"
    " select substr(number, 2)::int as n, id, owner_id, phone_e164 as phone from account",
    "create unique index on numbered (n)",
    "analyze numbered",
)
"""The accounts by their number; the others hang on it."""
SITES = """
insert into site (id, account_id, is_main, street, postcode, city, country, pin, pin_state, grade, uncertainty_m)
select gen_random_uuid(), a.id, true, (string_to_array(:streets, ' '))[1 + (hashint4(n + 3) & 1023) % 60]
        || ' ' || (hashint4(n) & 255), (9000 + (hashint4(n + 1) & 511))::text,
    (string_to_array(:towns, ' '))[1 + (hashint4(n) & 1023) % 14], 'LI',
    st_setsrid(st_makepoint(5 + (hashint4(n) & 65535) / 8192.0, 45 + (hashint4(n + 7) & 65535) / 8192.0), 4326),
    'placed', 'rooftop', 10
from numbered a
"""
CONTACTS = (
    """
insert into contact (id, first_name, last_name, title, phones, mails, phone_numbers, mail_addresses, owner_id)
select gen_random_uuid(), (array['Anna','Beat','Clara','David','Eva','Franz','Gerda','Hugo'])[1 + n % 8],
    initcap(translate(left(md5((n % 60000)::text), 8), '0123456789', 'aeiouklmnr')),
    (array['Purchasing','Owner','Accounts','Workshop'])[1 + n % 4],
    jsonb_build_array(jsonb_build_object('label', 'work', 'value', phone)),
    jsonb_build_array(jsonb_build_object('label', 'work', 'value', 'person' || n || '@example.org')),
    array[phone], array['person' || n || '@example.org'], owner_id
from numbered
""",
    """
insert into contact_account (id, contact_id, account_id, is_primary)
select gen_random_uuid(), c.id, a.id, true
from contact c join numbered a on a.n = substring(c.mail_addresses[1] from '\\d+')::int
""",
)
VISITS = """
insert into visit (id, account_id, rep_id, day, zone, state, outcome, done_at)
select gen_random_uuid(), a.id, a.owner_id, d.day, 'Europe/Vaduz',
    (array['done','done','done','missed'])[1 + (hashint4(n + k) & 3)],
    (array['order','follow_up','information',null])[1 + (hashint4(n + k) >> 3 & 3)],
    case when hashint4(n + k) & 3 < 3 then d.day + interval '9 hours' + make_interval(mins => k % 480) end
from numbered a, generate_series(1, case n when 1 then :long * 4 / 10 else 2 end) k,
    lateral (select current_date - (hashint4(n * 3 + k) & 1023) % 730 as day) d
"""
AGENDA = """
insert into activity (id, kind, account_id, owner_id, subject, zone, starts_at, ends_at, at, state, outcome, done_at)
select gen_random_uuid(), (array['call','meeting','call','mail'])[1 + (n + k) % 4], a.id, a.owner_id,
    'About the offer ' || k, 'Europe/Vaduz', d.at, d.at + interval '30 minutes', d.at,
    case when d.at < now() then 'done' else 'open' end, case when d.at < now() then 'reached' end,
    case when d.at < now() then d.at end
from numbered a, generate_series(1, case n when 1 then :long * 4 / 10 else 2 end) k,
    lateral (select now() + interval '20 days' - make_interval(mins => (hashint4(n * 5 + k) & 1048575)) as at) d
"""
NOTES = """
insert into note (id, account_id, author_id, text, written_at)
select gen_random_uuid(), a.id, a.owner_id, 'What was said, number ' || k,
    now() - make_interval(mins => (hashint4(n * 11 + k) & 1048575))
from numbered a, generate_series(1, case n when 1 then :long * 2 / 10 else 1 end) k
"""
DEALS = """
insert into opportunity (id, number, name, account_id, owner_id, pipeline_id, stage_id, state, amount, currency,
    close_on, next_step, next_step_on, stage_since, closed_at)
select gen_random_uuid(), :prefix || d, 'Deal ' || d, a.id, a.owner_id, s.pipeline_id, s.id,
    case when s.is_won then 'won' when s.is_lost then 'lost' else 'open' end, 100 + (d::bigint * 7919) % 20000, 'EUR',
    current_date + (d * 31 % 400) - 200, 'Call', current_date + d % 20, now() - make_interval(days => d % 60),
    case when s.is_won or s.is_lost then now() - make_interval(days => d % 700) end
from generate_series(1, :count) d
join numbered a on a.n = 1 + (d * 5) % (select count(*) from account)
join (
    select *, row_number() over (order by position) as k from stage
    where pipeline_id = :pipeline and (not :open or not (is_won or is_lost))
) s on s.k = 1 + d % case when :open then 4 else 6 end
"""
ORDERS = """
insert into sales_order (id, kind, state, number, account_id, owner_id, currency, country, day, zone, net, tax, gross,
    placed_at)
select gen_random_uuid(), 'order', (array['placed','confirmed','delivered','delivered'])[1 + (n / 2) % 4], 'O-' || n,
    id, owner_id, 'EUR', 'LI', current_date - n % 730, 'Europe/Vaduz', n % 1000, n % 80, n % 1080,
    now() - make_interval(days => n % 730)
from numbered where n % 2 = 0
"""
TICKETS = """
insert into ticket (id, number, queue_id, account_id, requester_name, requester_email, subject, state, priority,
    assignee_id, source, opened_at, solved_at)
select gen_random_uuid(), n / 5, :queue, id, 'Person ' || n, 'person' || n || '@example.org',
    (array['Delivery late','Invoice wrong','Device broken','Question'])[1 + n / 5 % 4] || ' ' || n,
    case when n / 5 % 20 = 0 then 'open' else 'closed' end, (array['low','normal','normal','high'])[1 + n / 5 % 4],
    owner_id, 'web', now() - make_interval(mins => n % 1000000),
    case when n / 5 % 20 > 0 then now() - make_interval(mins => n % 900000) end
from numbered where n % 5 = 0
"""
LEADS = """
insert into lead (id, number, company, person, emails, city, source, state, reason, owner_id, score, created_at)
select gen_random_uuid(), 'L' || n, 'Firma ' || initcap(translate(left(md5(n::text), 8), '0123456789', 'aeiouklmnr')),
    'Person ' || n, array['lead' || n || '@example.org'],
    (string_to_array(:towns, ' '))[1 + n / 10 % 14], 'form',
    case when n / 10 % 5 = 0 then 'new' else 'disqualified' end, case when n / 10 % 5 > 0 then 'no_need' end,
    owner_id, n % 101, now() - make_interval(mins => n % 1000000)
from numbered where n % 10 = 0
"""


def fill(engine: Engine, *, accounts: int, queue: Any, board: Any, history: Any) -> None:
    """Write the company into an empty database; secondary indexes are taken away meanwhile and made anew."""
    sizes = {
        "accounts": accounts, "towns": TOWNS, "trades": TRADES, "streets": STREETS, "queue": queue,
        "long": LONG_STORY if accounts >= LONG_STORY else 100,
    }  # fmt: skip
    with engine.begin() as connection:
        for setting in (
            "session_replication_role = replica",
            "maintenance_work_mem = '512MB'",
            "work_mem = '256MB'",
        ):
            connection.execute(text(f"set local {setting}"))
        indexes = taken_away(connection)
        for statement in (ACCOUNTS, *NUMBERED, SITES, *CONTACTS, VISITS, AGENDA, NOTES, ORDERS, TICKETS, LEADS):
            wanted = {name: value for name, value in sizes.items() if f":{name}" in statement}
            connection.execute(text(statement), wanted)
        for pipeline, prefix, count, is_open in (
            (board, "B", min(BOARD_DEALS, accounts), True),
            (history, "H", max(accounts // 5 - BOARD_DEALS, 0), False),
        ):
            values = {"pipeline": pipeline, "prefix": prefix, "count": count, "open": is_open}
            connection.execute(text(DEALS), values)
        for definition in indexes:
            if " ix_search_" not in definition:
                connection.execute(text(definition))
        connection.execute(text("analyze account, site, contact, contact_account, sales_order, ticket, opportunity"))
        for kind, table in KINDS.items():
            connection.execute(text(ENTRIES.format(kind=kind, table=table)))
        for definition in indexes:
            if " ix_search_" in definition:
                connection.execute(text(definition))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"vacuum analyze {', '.join(TABLES)}"))


ENTRIES = """
insert into search_entry (kind, row_id, account_id, title, detail, words, digits, owner_id, at)
select '{kind}', f.* from search_of_{kind}((select array_agg(id) from {table})) f
"""


def taken_away(connection: Connection, tables: tuple[str, ...] = TABLES) -> list[str]:
    """Drop the indexes that slow down writing; returns how to make them anew."""
    found = connection.execute(
        text(
            "select indexname, indexdef from pg_indexes where schemaname = 'public' and indexname like 'ix%'"
            " and tablename = any(:tables) order by indexname"
        ),
        {"tables": list(tables)},
    ).all()
    for name, _ in found:
        connection.execute(text(f"drop index {name}"))
    return [definition for _, definition in found]
