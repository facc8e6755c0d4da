"""A company for the benchmarks of sync: a home of its own, thirty thousand rows in one territory, a thousand phones."""

import base64
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import Engine, text

ACCOUNTS, PHONES = 5_000, 1_000

TABLES = """
create function pg_temp.id7(n bigint) returns uuid language sql as $$
    select (lpad(to_hex(1764000000000 + n * 977), 12, '0') || '7' || substr(md5(random()::text), 1, 3) || '8'
        || substr(md5(random()::text), 1, 15))::uuid $$;
create function pg_temp.words(n bigint) returns text language sql as $$
    select w[1 + n * 7 % 16] || ' ' || w[1 + n * 11 % 16] || ' ' || n % 997
    from (select array['Mill', 'Baker', 'Garage', 'North', 'Alpine', 'Stone', 'Werk', 'Haus', 'Bau', 'Optik', 'Metall',
        'Holz', 'Garten', 'Hotel', 'Krone', 'Sonne'] w) one $$;
insert into picklist (id, name, values)
values (gen_random_uuid(), 'visit_outcome', '[{"value": "order", "label": "Order"}]') on conflict do nothing;
insert into territory (id, name, colour, area) select gen_random_uuid(), 'West', '#0072B2',
    st_multi(st_makeenvelope(9, 47, 10, 48, 4326));
insert into app_user (id, login, name, role) select gen_random_uuid(), 'rep' || n, 'Rep ' || n, 'rep'
    from generate_series(1, :phones) n;
insert into account (id, name, phone, email, website, tags, note, yearly_value, currency, territory_id)
    select pg_temp.id7(n), pg_temp.words(n) || ' AG', '+423 ' || (1000000 + n * 7919 % 8999999),
        'office' || n || '@firm.example', 'https://' || n || '.firm.example',
        array['key'], 'Asks for ' || pg_temp.words(n * 3), n * 13, 'EUR', t.id
    from generate_series(1, :accounts) n, territory t;
insert into site (id, account_id, is_main, street, postcode, city, country, pin, grade, territory_id)
    select pg_temp.id7(row_number() over ()), a.id, true, 'Street ' || right(a.phone, 3), right(a.phone, 4),
        'Town ' || right(a.phone, 2), 'LI', st_setsrid(st_makepoint(9 + random(), 47 + random()), 4326), 'rooftop',
        a.territory_id from account a;
insert into contact (id, first_name, last_name, phones, mails)
    select pg_temp.id7(n), 'Person ' || n, pg_temp.words(n),
        jsonb_build_array(jsonb_build_object('label', 'mobile', 'value', '+41 ' || (700000000 + n * 7919 % 89999999))),
        jsonb_build_array(jsonb_build_object('label', 'work', 'value', 'person' || n || '@mail.example'))
    from generate_series(1, :contacts) n;
insert into contact_account (id, contact_id, account_id)
    select pg_temp.id7(c.n), c.id, a.id
    from (select id, row_number() over () n from contact) c
    join (select id, row_number() over () n from account) a on a.n = c.n % :accounts + 1;
insert into visit (id, account_id, site_id, rep_id, day, zone, state, outcome, note)
    select pg_temp.id7(s.n * 2 + twice), s.account_id, s.id, u.id, current_date - (1 + n::int % 300), 'Europe/Vaduz',
        'done', 'order', 'Spoke about ' || pg_temp.words(n)
    from (select id, account_id, row_number() over () n from site) s
    join generate_series(1, 2) twice on twice = 1 or s.n <= :more
    join app_user u on u.login = 'rep1';
create function pg_temp.talk(words int) returns text language sql volatile as $$
    select string_agg(w[1 + (random() * 39)::int] || w[1 + (random() * 39)::int] || case when random() < 0.5
        then w[1 + (random() * 39)::int] else '' end, ' ') from generate_series(1, words),
        (select string_to_array('an be ca de en fa ge ho in ja ke li mo na or pa qu re si to un va we xi ya zu al bo '
            'ce di el fo gi ha il ju ko le mi no', ' ') w) one $$;
insert into note (id, account_id, author_id, text, written_at)
    select pg_temp.id7(n * 3), a.id, u.id, pg_temp.talk(8 + n::int % 30), now() - n % 300 * interval '1 day'
    from (select id, row_number() over () n from account) a join app_user u on u.login = 'rep1' where n <= :notes;
insert into activity (id, kind, account_id, owner_id, subject, note, zone, at, state, direction, sender)
    select pg_temp.id7(n * 5), 'mail', a.id, u.id, pg_temp.talk(3), pg_temp.talk(20 + n::int % 90), 'Europe/Vaduz',
        now() - n % 300 * interval '1 day', 'done', case when n % 2 = 0 then 'in' else 'out' end,
        'office' || n || '@firm.example'
    from (select id, row_number() over () n from account) a join app_user u on u.login = 'rep1' where n <= :mails;
insert into pipeline (id, name) values (gen_random_uuid(), 'New business of the benchmark');
insert into stage (id, pipeline_id, name, position, probability, category)
    select gen_random_uuid(), p.id, 'Stage ' || n, n, 0.25, 'pipeline'
    from pipeline p, generate_series(1, 3) n where p.name like '%benchmark';
insert into opportunity (id, name, account_id, owner_id, pipeline_id, stage_id, amount, currency, close_on)
    select pg_temp.id7(n * 17), 'Line ' || n, a.id, u.id, s.pipeline_id, s.id, n * 100, 'EUR', current_date + 60
    from (select id, row_number() over () n from account) a join app_user u on u.login = 'rep1'
    join stage s on s.name = 'Stage 3' where n <= :deals;
insert into stage_change (id, opportunity_id, account_id, from_stage_id, to_stage_id, at, by, currency)
    select gen_random_uuid(), o.id, o.account_id, f.id, t.id, now() - t.position * interval '20 days', o.owner_id, 'EUR'
    from opportunity o join stage t on t.pipeline_id = o.pipeline_id
    left join stage f on f.pipeline_id = t.pipeline_id and f.position = t.position - 1;
insert into territory (id, name, colour, area) select gen_random_uuid(), login, '#009E73', t.area
    from app_user, territory t where login <> 'rep1';
update territory set name = 'rep1' where name = 'West';
insert into offered_prospect (id, name, kind, kind_words, street, postcode, city, phone, opening_hours, credit, pin,
                              territory_id)
    select gen_random_uuid(), pg_temp.words(n * 5) || ' ' || n, 'shop=kind_' || n % 12,
        jsonb_build_object('en', 'Kind ' || n % 12, 'de', 'Art ' || n % 12), 'Lane ' || n % 90, (9000 + n % 99)::text,
        'Town ' || n % 40, case when n % 3 = 0 then '+423 ' || (2000000 + n * 7919 % 7999999) end,
        case when n % 2 = 0 then 'Mo-Fr 0' || n % 10 || '\\:00-18:00' end,
        '© OpenStreetMap contributors, Open Database Licence (ODbL) 1.0',
        st_setsrid(st_makepoint(9 + random(), 47 + random()), 4326), t.id
    from generate_series(1, :prospects) n, territory t where t.name = 'rep1';
insert into territory_member (id, territory_id, user_id, valid_from)
    select gen_random_uuid(), t.id, u.id, current_date - 30 from territory t join app_user u on u.login = t.name;
insert into account (id, name, phone, territory_id)
    select gen_random_uuid(), 'Shop ' || n || ' of ' || t.name, '+423 ' || n, t.id
    from territory t, generate_series(1, 3) n where t.name <> 'rep1';
insert into site (id, account_id, is_main, city, territory_id)
    select gen_random_uuid(), a.id, true, 'Town', a.territory_id from account a where a.name like 'Shop%';
"""


@contextmanager
def company() -> Iterator[Engine]:
    """A server's home with a database that waits for its disk."""
    from server import migrations
    from server.kit import database, embedded

    with TemporaryDirectory(prefix="waymark-bench-") as folder:
        home = Path(folder) / "home"
        Path(folder).chmod(0o755)
        os.environ["WAYMARK_HOME"] = str(home)
        os.environ.pop("WAYMARK_DATABASE_URL", None)
        os.environ["WAYMARK_SYNC_READS_PER_MINUTE"] = "1000000"  # thirty phones read as much as thousands
        engine = database.engine()
        try:
            migrations.upgrade(engine)
            yield engine
        finally:
            engine.dispose()
            embedded.stop(home)


def fill(engine: Engine) -> None:
    """Accounts, sites, contacts, visits, notes, mails and deals with their steps: 30,000 rows on one rep's phone."""
    values = {"phones": PHONES, "accounts": ACCOUNTS, "contacts": 6_000, "more": 3_000, "prospects": 500}
    values |= {"notes": 1_200, "mails": 1_200, "deals": 150}
    with engine.begin() as connection:
        for statement in TABLES.split(";\n"):
            if statement.strip():
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(text(statement), used)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("vacuum analyze"))


def register(engine: Engine) -> dict[str, tuple[str, str]]:
    """A phone for each rep: its device and its access token, by login."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    devices = """
        insert into device (id, user_id, name, platform, public_key)
        select gen_random_uuid(), id, 'phone', 'test', :key from app_user returning id::text,
            (select login from app_user u where u.id = user_id)
    """
    pair = """
        insert into device_token (id, device_id, access_hash, refresh_hash, access_expires_at, refresh_expires_at,
                                  family_expires_at, used_at)
        values (gen_random_uuid(), :device, :access, :refresh, now() + :life, now() + :life, now() + :life, now())
    """
    phones = {}
    with engine.begin() as connection:
        for device, login in connection.execute(text(devices), {"key": der}).all():
            access = f"wma_{base64.urlsafe_b64encode(device.encode()).decode()}"
            phones[login] = (device, access)
            hashes = {"access": hashlib.sha256(access.encode()).digest(), "refresh": os.urandom(32)}
            connection.execute(text(pair), {"device": device, "life": timedelta(days=1)} | hashes)
    return phones
