"""The global search: names, numbers, phones, mails and addresses; only what the reader may see."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from itertools import product
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.reach import Reader
from server.auth.access import scope_of
from server.auth.models import User
from server.auth.roles import Level
from server.contacts import queries as contacts
from server.contacts.models import Contact
from server.kit.ids import uuid7
from server.opportunities import queries as deals
from server.opportunities.models import Opportunity
from server.orders import queries as orders
from server.orders.models import Order
from server.search import queries
from server.search.kinds import KINDS, Kind
from server.search.models import Entry
from server.tickets import queries as tickets
from server.tickets.models import Ticket
from tests.server.opportunities.conftest import MakeDeal

ClientFor = Callable[[User | None], TestClient]


@pytest.fixture
def shops(make_account: Callable[..., Account], rita: User, otto: User) -> dict[str, Account]:
    """A baker and a garage in the west, a hotel in the east."""
    west: dict[str, Any] = {"at": (9.2, 47.2), "city": "Vaduz"}
    return {
        "Baker": make_account("Bäckerei Müller", number="K-10", phone="+423 232 10 10", street="Städtle 3", **west),
        "Garage": make_account("Garage Muller & Co", number="K-100", email="post@garage.example", **west),
        "Hotel": make_account("Hotel Zech", number="K-11", at=(9.7, 47.2), city="Buchs"),
    }


def found(client: TestClient, words: str) -> list[str]:
    answer = client.get("/api/v1/search", params={"q": words})
    assert answer.status_code == 200, answer.text
    return [hit["title"] for hit in answer.json()]


def test_strangers_are_turned_away(client_for: ClientFor) -> None:
    assert client_for(None).get("/api/v1/search", params={"q": "zech"}).status_code == 401


@pytest.mark.usefixtures("shops")
def test_others_customers_stay_hidden(client_for: ClientFor, otto: User, rita: User) -> None:
    assert found(client_for(otto), "muller") == []
    assert found(client_for(otto), "zech") == ["Hotel Zech"]
    assert found(client_for(rita), "zech") == []


@pytest.mark.usefixtures("shops")
@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("backerei muller", "Bäckerei Müller"),
        ("K-10", "Bäckerei Müller"),
        ("k-100", "Garage Muller & Co"),
        ("00423 232 1010", "Bäckerei Müller"),
        ("232-10-10", "Bäckerei Müller"),
        ("post@garage", "Garage Muller & Co"),
        ("stadtle 3 vaduz", "Bäckerei Müller"),
        ("hotle zech", "Hotel Zech"),
        ("zech buchs", "Hotel Zech"),
    ],
)
def test_it_is_found_however_it_is_written(admin_client: TestClient, words: str, first: str) -> None:
    assert found(admin_client, words)[:1] == [first]


@pytest.mark.parametrize("words", ["", " ", "%", "_", "x", "\\", "((", "'; drop table account"])
def test_odd_words_find_nothing_and_break_nothing(admin_client: TestClient, words: str) -> None:
    assert found(admin_client, words) == []


def test_what_changes_is_found_at_once(session: Session, admin_client: TestClient, shops: dict[str, Account]) -> None:
    session.execute(text("update site set city = 'Sargans' where account_id = :id"), {"id": shops["Hotel"].id})
    assert found(admin_client, "zech sargans") == ["Hotel Zech"]
    session.execute(text("update account set deleted_at = now() where id = :id"), {"id": shops["Hotel"].id})
    assert found(admin_client, "zech") == []
    session.execute(text("update account set deleted_at = null where id = :id"), {"id": shops["Hotel"].id})
    assert found(admin_client, "zech") == ["Hotel Zech"]
    merged = {"winner": shops["Baker"].id, "loser": shops["Garage"].id}
    session.execute(text("update account set merged_into = :winner where id = :loser"), merged)
    assert session.query(Entry).count() == 2


def test_the_empty_box_shows_what_was_lately_opened(admin_client: TestClient, shops: dict[str, Account]) -> None:
    page = {"accept": "text/html"}
    for name in ("Hotel", "Baker", "Hotel"):
        answer = admin_client.get(f"/search/open/account/{shops[name].id}", headers=page)
        assert answer.headers["location"] == f"/accounts/{shops[name].id}"
    text = admin_client.get("/search", headers=page).text
    assert text.index("Hotel Zech") < text.index("Bäckerei Müller")
    marked = admin_client.get("/search", params={"q": "mull"}, headers=page).text
    assert "<mark>Müll</mark>er" in marked


def test_contacts_deals_and_products_are_found_too(
    session: Session, admin_client: TestClient, client_for: ClientFor, shops: dict[str, Account], otto: User
) -> None:
    session.execute(
        text("insert into contact (id, first_name, last_name) values (:id, 'Klara', 'Kaufmann')"), {"id": uuid7()}
    )
    session.execute(
        text(
            "insert into contact_account (id, contact_id, account_id)"
            " select :id, c.id, :account from contact c where c.last_name = 'Kaufmann'"
        ),
        {"id": uuid7(), "account": shops["Baker"].id},
    )
    session.execute(
        text("insert into lead (id, company, phones_e164) values (:id, 'Seilbahn Malbun', '{+4232651111}')"),
        {"id": uuid7()},
    )
    assert found(admin_client, "klara kaufman") == ["Klara Kaufmann"]
    assert found(admin_client, "kaufmann backerei") == ["Klara Kaufmann"]
    assert found(admin_client, "265 11 11") == ["Seilbahn Malbun"]
    assert found(client_for(otto), "kaufmann") == []
    session.execute(
        text(
            "insert into contact_account (id, contact_id, account_id)"
            " select :id, c.id, :account from contact c where c.last_name = 'Kaufmann'"
        ),
        {"id": uuid7(), "account": shops["Hotel"].id},
    )
    assert found(client_for(otto), "kaufmann") == ["Klara Kaufmann"], "at an account of theirs, if not the first one"


def test_a_deal_of_a_deleted_account_is_found_by_nobody(
    session: Session, admin_client: TestClient, shops: dict[str, Account]
) -> None:
    ids = {"deal": uuid7(), "pipeline": uuid7(), "stage": uuid7(), "account": shops["Baker"].id}
    for statement in (
        "insert into pipeline (id, name) values (:pipeline, 'Ovens')",
        "insert into stage (id, pipeline_id, position, probability, name, category)"
        " values (:stage, :pipeline, 1, 0.1, 'Asked', 'pipeline')",
        "insert into opportunity (id, account_id, pipeline_id, stage_id, close_on, name)"
        " values (:deal, :account, :pipeline, :stage, current_date, 'Zebra oven')",
    ):
        session.execute(text(statement), ids)
    assert found(admin_client, "zebra") == ["Zebra oven"]
    session.execute(text("update account set deleted_at = now() where id = :id"), {"id": shops["Baker"].id})
    assert found(admin_client, "zebra") == [], "it has no page"


def test_of_what_fits_equally_well_accounts_come_first_and_leads_last(
    session: Session, admin_client: TestClient, shops: dict[str, Account], make_deal: MakeDeal
) -> None:
    baker = shops["Baker"]
    for company in (baker.name, "Müller Metzgerei"):
        session.execute(
            text("insert into lead (id, company, owner_id) select :id, :company, id from app_user where login = 'ada'"),
            {"id": uuid7(), "company": company},
        )
    make_deal("Ofen für Bäckerei Müller", baker)
    assert found(admin_client, "Bäckerei Müller")[:2] == [baker.name] * 2
    kinds = [hit["kind"] for hit in admin_client.get("/api/v1/search", params={"q": "Bäckerei Müller"}).json()]
    assert kinds == ["account", "lead", "opportunity"], "of one name the account is first; a lead of it fits too"
    kinds = [hit["kind"] for hit in admin_client.get("/api/v1/search", params={"q": "müller"}).json()]
    assert kinds == ["account", "account", "opportunity", "lead", "lead"]


def test_what_an_account_has_is_one_click_away(
    session: Session, client_for: ClientFor, shops: dict[str, Account], rita: User, make_deal: MakeDeal
) -> None:
    page, baker, other = {"accept": "text/html"}, shops["Baker"], shops["Hotel"]
    rita_sees = client_for(rita)
    assert "/pipeline/list" not in rita_sees.get("/search", params={"q": "müller"}, headers=page).text
    for name in ("Ofen", "Theke", "Kasse"):
        make_deal(name, baker)
    make_deal("Kasse", other)
    shown = rita_sees.get("/search", params={"q": "bäckerei"}, headers=page).text
    assert "All 3 deals with Bäckerei Müller" in shown
    assert "/orders" not in shown
    link = unescape(shown.split('href="/pipeline/list')[1].split('"')[0])
    listed = rita_sees.get(f"/pipeline/list{link}", headers=page).text
    assert [name for name in ("Ofen", "Theke", "Kasse") if name in listed] == ["Ofen", "Theke", "Kasse"]
    assert "Hotel Zech" not in listed
    assert "deals with" not in rita_sees.get("/search", params={"q": "zech"}, headers=page).text, "out of reach"


def test_who_is_at_an_account_and_what_it_ordered_is_found_by_its_new_name(
    session: Session, admin_client: TestClient, shops: dict[str, Account]
) -> None:
    person, account = uuid7(), shops["Baker"].id
    session.execute(text("insert into contact (id, last_name) values (:id, 'Kaufmann')"), {"id": person})
    session.execute(
        text("insert into contact_account (id, contact_id, account_id) values (:id, :person, :account)"),
        {"id": uuid7(), "person": person, "account": account},
    )
    session.execute(
        text(
            "insert into sales_order (id, kind, account_id, currency, day, zone, reference)"
            " values (:id, 'order', :account, 'EUR', current_date, 'UTC', 'R-77')"
        ),
        {"id": uuid7(), "account": account},
    )
    session.execute(text("update account set name = 'Konditorei Nigg' where id = :id"), {"id": account})
    assert sorted(found(admin_client, "nigg")) == ["Kaufmann", "Konditorei Nigg", "R-77"]
    assert found(admin_client, "backerei") == []


def test_a_number_is_meant_as_it_is_written(
    session: Session, admin_client: TestClient, shops: dict[str, Account]
) -> None:
    for name, number in (("Hotel", "K00000042"), ("Garage", "K00000043")):
        session.execute(
            text("update account set number = :number where id = :id"), {"number": number, "id": shops[name].id}
        )
    assert found(admin_client, "K00000042") == ["Hotel Zech"]


@pytest.mark.parametrize(
    ("word", "may_slip"), [("hotle", True), ("info77@example.org", False), ("k00000042", False), ("bar", False)]
)
def test_slips_are_looked_for_in_words_not_in_numbers_and_addresses(word: str, may_slip: bool) -> None:
    assert queries.may_slip(word) == may_slip


def test_what_a_rep_reaches_is_read_once_however_few_hits_are_expected(session: Session, rita: User) -> None:
    scope = scope_of(session, rita, source="web")
    account = next(kind for kind in KINDS if kind.name == "account")
    question, values = queries.Question((False,)), queries.values_of("baker", ["baker"])
    asked = queries.candidates(question, account, is_veiled=False, reader=Reader.of(scope))
    state = asked.compile(session.connection()).construct_expanded_state(values)
    plan = session.connection().exec_driver_sql(f"explain {state.statement}", state.parameters)
    assert "hashed SubPlan" in "\n".join(plan.scalars())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_rights_are_asked_of_what_fits_not_of_all_entries(session: Session, rita: User, kind: Kind) -> None:
    best = queries.best(kind, Reader.of(scope_of(session, rita, source="web")), is_few=False)
    values = queries.values_of("baker", ["baker"]) | {"ids": "{}", "me": rita.id, "limit": 20}
    state = best.compile(session.connection()).construct_expanded_state(values)
    question = f"explain (format json) {state.statement}"
    plan = session.connection().exec_driver_sql(question, state.parameters).scalar_one()
    (read,) = (one for one in nodes(plan[0]["Plan"]) if one.get("Relation Name") == "search_entry")
    assert "SubPlan" not in str(read), "an entry is read by its id, then judged"


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All steps of a plan."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


ROOMS: dict[str, tuple[Any, Any]] = {
    "account": (accounts.visible_to, Account),
    "contact": (contacts.visible_to, Contact),
    "opportunity": (deals.visible_to, Opportunity),
    "order": (orders.visible_to, Order),
    "ticket": (tickets.visible_to, Ticket),
}


@pytest.fixture
def zebras(session: Session, make_account: Callable[..., Account], make_deal: MakeDeal, rita: User, otto: User) -> None:
    """Of each kind some that are seen for every reason: owner, rep, territory, a second site, a merge, nobody's."""
    names = ("West", "East", "Far", "Lost", "Twin", "Gone")
    spots = ((9.2, 47.2), (9.7, 47.2), None, None, (9.2, 47.3), (9.2, 47.4))
    made = {name: make_account(f"Zebra {name}", at=at) for name, at in zip(names, spots, strict=True)}
    ids: dict[str, Any] = {name: account.id for name, account in made.items()} | {"rita": rita.id, "otto": otto.id}
    ids["queue"] = uuid7()
    columns = "(id, name, form_key, hours, zone, targets)"
    session.execute(text(f"insert into ticket_queue {columns} values (:queue, 'Zoo', 'z', '{{}}', 'UTC', '{{}}')"), ids)
    for n, (name, account) in enumerate(made.items()):
        make_deal(f"Deal {name}", account, owner_id=otto.id if name == "Lost" else None)
        ids |= {"account": account.id, "person": uuid7(), "n": f"R-{n}", "assignee": rita.id if name == "Far" else None}
        for statement in (
            "insert into contact (id, last_name, owner_id) values (:person, :n, :assignee)",
            "insert into contact_account (id, contact_id, account_id)"
            " select gen_random_uuid(), :person, place from unnest(array[:account, :East]) place group by place",
            "insert into sales_order (id, kind, account_id, currency, day, zone, reference)"
            " values (gen_random_uuid(), 'order', :account, 'EUR', current_date, 'UTC', :n)",
            "insert into ticket (id, number, queue_id, source, subject, opened_at, account_id, assignee_id)"
            " select gen_random_uuid(), 1000 + count(*), :queue, 'web', :n, now(), :account, :assignee from ticket",
        ):
            session.execute(text(statement), ids)
    for statement in (
        "insert into account_rep (account_id, user_id) values (:East, :rita), (:Far, :otto)",
        "update account set owner_id = :rita where id = :Lost",
        "update account set merged_into = :East where id = :Twin",
        "update account set deleted_at = now() where id = :Gone",
    ):
        session.execute(text(statement), ids)


@pytest.mark.usefixtures("zebras")
@pytest.mark.parametrize("way", ["one by one", "gathered", "many"])
def test_a_search_finds_what_the_rooms_show_however_much_fits(
    session: Session, rita: User, otto: User, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    if way == "gathered":
        monkeypatch.setattr(queries, "ASKED", 0)
    if way == "many":
        monkeypatch.setattr(queries, "how_many", lambda ids: queries.CANDIDATES if len(ids) > 2 else 0)
        monkeypatch.setattr(queries, "LOOKED", queries.CANDIDATES)
    levels, seen = (Level.OWN, Level.TERRITORY, Level.TEAM, Level.REGION, Level.ALL), []
    for level, person, words in product(levels, (rita, otto), ("zebra", "zebrra")):
        scope = scope_of(session, person, source="web")
        scope = replace(scope, levels={**scope.levels, **{kind.permission: level for kind in KINDS}})
        hits = queries.search(session, scope, words, limit=100)
        for kind, (visible, table) in ROOMS.items():
            rows = session.scalars(visible(scope).with_only_columns(table.id))
            found = sorted(hit.row_id for hit in hits if hit.kind.name == kind)
            assert found == sorted(rows), (kind, person.login, level, words)
        listed = session.scalars(accounts.visible_to(scope, listed=True).with_only_columns(Account.id))
        assert sorted(listed) == sorted(hit.row_id for hit in hits if hit.kind.name == "account"), (level, words)
        seen.append(len(hits))
    assert min(seen) >= 6
    assert max(seen) > 20
