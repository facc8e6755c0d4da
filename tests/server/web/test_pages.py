"""Who sees which page, and what a page does with what people send."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from shapely.geometry import MultiPolygon, box
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.models import Visit
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.territories import service as territories
from server.web import drawn
from server.web.pages import ROOMS
from tests.server.web.conftest import PAGE, PASSWORD, token_in

type MakeUser = Callable[..., User]
type ClientFor = Callable[[User | None], TestClient]
type BrowserOf = Callable[[User], TestClient]
type MakeAccount = Callable[..., Account]

PAGES = (
    "/", "/accounts", "/accounts/new", "/plans", "/territories", "/density", "/imports", "/conflicts", "/users",
    "/users/new", "/regions", "/integrations", "/integrations/mail", "/integrations/webhooks",
    "/me", "/api/docs", "/home/today", "/home/accounts", "/search?q=a",
)  # fmt: skip
FOR_ADMINS = ("/users/new", "/regions", "/integrations", "/integrations/mail", "/integrations/webhooks")


@pytest.mark.parametrize("path", PAGES)
def test_a_stranger_is_asked_to_sign_in(client_for: ClientFor, path: str) -> None:
    answer = client_for(None).get(path, headers=PAGE)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("code", ["en", "de"])
def test_an_admin_sees_every_page_in_both_languages(
    client_for: ClientFor, make_user: MakeUser, path: str, code: str
) -> None:
    answer = client_for(make_user("ada", language=code)).get(path, headers=PAGE)
    assert answer.status_code == 200, answer.text


def test_every_room_of_the_rail_has_a_letter_of_its_own() -> None:
    letters = [room.letter for room in ROOMS]
    assert sorted(letters) == sorted(set(letters)), "one letter cannot lead to two pages"


@pytest.mark.parametrize("path", FOR_ADMINS)
def test_a_rep_is_told_what_is_not_theirs(client_for: ClientFor, make_user: MakeUser, path: str) -> None:
    answer = client_for(make_user("rita", Role.REP)).get(path, headers=PAGE)
    assert answer.status_code == 403
    assert "may not do this" in answer.text


def test_a_fragment_of_a_stranger_leaves_the_page_and_asks_to_sign_in(client_for: ClientFor) -> None:
    answer = client_for(None).get("/home/today", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.text) == (401, "")
    assert (answer.headers["hx-trigger"], answer.headers["hx-reswap"]) == ("signed-out", "none")


@pytest.mark.parametrize(
    ("referer", "target"),
    [
        ("http://testserver/accounts/new?x=1", "/sign-in?next=/accounts/new%3Fx%3D1%23again"),
        ("http://elsewhere.example/accounts/new", "/sign-in"),
        ("http://testserver//elsewhere.example", "/sign-in"),
        ("http://[::1", "/sign-in"),
        ("", "/sign-in"),
    ],
)
def test_a_form_of_a_stranger_leads_back_to_its_page_of_ours(client_for: ClientFor, referer: str, target: str) -> None:
    answer = client_for(None).post("/accounts/new", headers=PAGE | {"referer": referer})
    assert (answer.status_code, answer.headers["location"]) == (303, target)


def test_a_form_of_an_older_session_leads_back_to_its_page(browser_of: BrowserOf, make_user: MakeUser) -> None:
    browser = browser_of(make_user("ada", Role.ADMIN))
    sent = {"_csrf": "of another session", "name": "Kept AG"}
    here = PAGE | {"referer": "http://testserver/accounts/new"}
    assert browser.post("/accounts/new", data=sent, headers=here).headers["location"] == "/accounts/new#again"
    elsewhere = PAGE | {"referer": "http://elsewhere.example/"}
    assert browser.post("/accounts/new", data=sent, headers=elsewhere).status_code == 403
    by_script = browser.post("/accounts/new", data=sent, headers=here | {"x-csrf-token": "of another session"})
    assert (by_script.status_code, by_script.headers["hx-trigger"]) == (403, "signed-out")


def test_whose_session_the_browser_has_is_told_to_its_pages(browser_of: BrowserOf, make_user: MakeUser) -> None:
    ada = make_user("ada", Role.ADMIN)
    browser = browser_of(ada)
    told = browser.get("/sign-in/session")
    assert told.json() == {"user": str(ada.id), "csrf": token_in(browser.get("/accounts/new").text)}
    assert told.headers["cache-control"] == "no-store"
    browser.cookies.clear()
    assert browser.get("/sign-in/session", headers={"accept": "application/json"}).status_code == 401


def test_signing_in_leads_back_to_the_page_but_never_to_another_site(
    client_for: ClientFor, make_user: MakeUser
) -> None:
    ada, client = make_user("ada"), client_for(None)
    long = f"/accounts?filter={'x' * 3000}"
    for wish, goal in (
        ("/accounts?q=x", "/accounts?q=x"),
        (long, long),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
    ):
        answer = client.post("/sign-in", data={"login": ada.login, "password": PASSWORD, "next": wish})
        assert answer.headers["location"] == goal


def test_a_wrong_password_is_said_on_the_page(client_for: ClientFor, make_user: MakeUser) -> None:
    make_user("ada")
    answer = client_for(None).post("/sign-in", data={"login": "ada", "password": "wrong words"}, headers=PAGE)
    assert answer.status_code == 401
    assert "Login or password is wrong" in answer.text


def test_a_form_without_its_token_is_refused(browser_of: BrowserOf, make_user: MakeUser, session: Session) -> None:
    browser = browser_of(make_user("ada"))
    answer = browser.post("/accounts/new", data={"name": "Forged AG"})
    assert answer.status_code == 403
    assert session.scalar(select(Account).where(Account.name == "Forged AG")) is None


def test_a_form_of_another_site_is_refused_even_with_the_token(browser_of: BrowserOf, make_user: MakeUser) -> None:
    browser = browser_of(make_user("ada"))
    token = token_in(browser.get("/accounts/new").text)
    answer = browser.post(
        "/accounts/new", data={"name": "Forged AG", "_csrf": token}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert answer.status_code == 403


def test_every_page_says_that_nothing_comes_from_elsewhere(browser_of: BrowserOf, make_user: MakeUser) -> None:
    policy = browser_of(make_user("ada")).get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "http" not in policy


def test_a_new_account_that_looks_like_another_one_shows_it_first(
    browser_of: BrowserOf, make_user: MakeUser, make_account: MakeAccount, session: Session
) -> None:
    make_account("Bäckerei Amann AG", phone="+423 232 12 12")
    browser = browser_of(make_user("ada"))
    form = {"name": "Baeckerei Amann", "phone": "00423 232 12 12", "street": "Städtle 1", "city": "Vaduz"}
    form["_csrf"] = token_in(browser.get("/accounts/new").text)
    answer = browser.post("/accounts/new", data=form)
    assert answer.status_code == 409
    assert "Create anyway" in answer.text
    answer = browser.post("/accounts/new", data={**form, "force": "1"})
    assert answer.status_code == 303
    assert session.scalar(select(Account).where(Account.name == "Baeckerei Amann")) is not None


def test_a_wrong_value_is_shown_beside_its_field(browser_of: BrowserOf, make_user: MakeUser) -> None:
    browser = browser_of(make_user("ada"))
    token = token_in(browser.get("/accounts/new").text)
    answer = browser.post("/accounts/new", data={"name": "Amann", "email": "nonsense", "_csrf": token})
    assert answer.status_code == 422
    assert "is not an e-mail address" in answer.text
    assert 'value="Amann"' in answer.text


@pytest.mark.parametrize("missing", ["login", "name", "role"])
def test_a_person_without_what_a_person_needs_is_refused(
    browser_of: BrowserOf, make_user: MakeUser, missing: str
) -> None:
    browser = browser_of(make_user("ada", Role.ADMIN))
    sent = {"login": "nils", "name": "Nils", "role": "rep", "_csrf": token_in(browser.get("/users/new").text)}
    for wrong in ({missing: " "}, {missing: None}):
        answer = browser.post("/users/new", data=sent | wrong)
        assert answer.status_code == 422
    assert browser.post("/users/new", data=sent).status_code == 303


def test_two_people_who_change_one_field_choose_between_both_values(
    browser_of: BrowserOf, make_user: MakeUser, make_account: MakeAccount, session: Session
) -> None:
    account = make_account("Amann", phone="1")
    seen = account.rev
    browser = browser_of(make_user("ada"))
    token = token_in(browser.get("/accounts").text)
    account.phone = "2"
    session.flush()
    session.refresh(account)
    sent = {"rev": str(seen), "name": "Amann", "phone": "3", "_csrf": token}
    whole = browser.get(f"/accounts/{account.id}/edit").headers["location"]
    assert f'hx-get="/accounts/{account.id}/edit" hx-trigger="load"' in browser.get(whole).text
    answer = browser.post(f"/accounts/{account.id}/edit", data=sent, headers={"HX-Request": "true"})
    assert answer.status_code == 412
    assert "Stored meanwhile" in answer.text
    again = sent | {"rev": str(account.rev), "choose-phone": "theirs", "email": "a@amann.example"}
    answer = browser.post(f"/accounts/{account.id}/edit", data=again, headers={"HX-Request": "true"})
    assert answer.status_code == 204
    session.refresh(account)
    assert (account.phone, account.email) == ("2", "a@amann.example")


def test_whoever_assigns_accounts_fixes_the_territory_of_one_and_lets_it_go(
    browser_of: BrowserOf, make_user: MakeUser, make_account: MakeAccount, session: Session
) -> None:
    rita = make_user("rita", Role.REP)
    account = make_account("Amann", owner_id=rita.id)
    area = MultiPolygon([box(20, 20, 21, 21)])
    far = territories.create(session, name="Far", area=area)
    rep, browser = browser_of(rita), browser_of(make_user("ada"))
    path, page = f"/accounts/{account.id}/edit", {"HX-Request": "true"}
    assert "fixed_territory" not in rep.get(path, headers=page).text

    def save(who: TestClient, fixed: str) -> int:
        sent = {"rev": str(account.rev), "name": "Amann", "fixed_territory": fixed}
        answer = who.post(path, data=sent | {"_csrf": token_in(who.get("/accounts").text)}, headers=page)
        session.refresh(account)
        return int(answer.status_code)

    assert save(rep, str(far.id)) == 403
    assert save(browser, str(far.id)) == 204
    assert (account.territory_id, account.territory_is_fixed) == (far.id, True)
    assert f'value="{far.id}" selected' in browser.get(path, headers=page).text
    assert save(browser, "") == 204
    assert (account.territory_id, account.territory_is_fixed) == (None, False)


def test_somebody_elses_account_is_not_there(
    browser_of: BrowserOf, make_user: MakeUser, make_account: MakeAccount
) -> None:
    account = make_account("Fern AG")
    answer = browser_of(make_user("rita", Role.REP)).get(f"/accounts/{account.id}")
    assert answer.status_code == 404


def test_a_visit_recorded_twice_by_a_double_click_is_one_visit(
    browser_of: BrowserOf, make_user: MakeUser, make_account: MakeAccount, session: Session
) -> None:
    account = make_account("Amann")
    browser = browser_of(make_user("ada"))
    page = browser.get(f"/accounts/{account.id}").text
    event = page.split('name="event_id" value="')[1].split('"')[0]
    form = {"_csrf": token_in(page), "event_id": event, "day": "2026-01-05", "at": "10:40", "outcome": "order"}
    for _ in range(2):
        assert browser.post(f"/accounts/{account.id}/visits", data=form).status_code == 303
    assert len(session.scalars(select(Visit).where(Visit.account_id == account.id)).all()) == 1


def test_today_is_not_sent_again_while_nothing_happens(browser_of: BrowserOf, make_user: MakeUser) -> None:
    browser = browser_of(make_user("ada"))
    first = browser.get("/home/today")
    assert browser.get("/home/today", headers={"If-None-Match": first.headers["etag"]}).status_code == 304


def test_the_list_and_the_map_choose_the_same_accounts(
    browser_of: BrowserOf, make_user: MakeUser, make_account: MakeAccount
) -> None:
    make_account("Eins", account_class="A")
    make_account("Zwei", account_class="B")
    browser = browser_of(make_user("ada"))
    for path in ("/accounts", "/home/accounts"):
        text = browser.get(path, params={"filter": "class = A"}).text
        assert "Eins" in text
        assert "Zwei" not in text


def test_a_filter_that_cannot_be_read_is_explained_on_the_page(browser_of: BrowserOf, make_user: MakeUser) -> None:
    answer = browser_of(make_user("ada")).get("/accounts", params={"filter": "klass = A"})
    assert answer.status_code == 422
    assert "klass" in answer.text


def test_an_address_typed_by_heart_leads_to_the_page_or_near_it(client_for: ClientFor, make_user: MakeUser) -> None:
    client = client_for(make_user("boss"))
    for typed, there in (
        ("/deals", "/pipeline"),
        ("/Customers/", "/accounts"),
        ("/karte", "/"),
        ("/balance", "/territories/balance"),
    ):
        answer = client.get(typed, headers=PAGE, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, there)
    assert client.get("/deals").status_code == 404, "a program is told"
    for typed, there in (
        ("/settings", "/integrations"),
        ("/accuonts/7", "/accounts"),
        ("/forcast", "/forecast"),
        ("/mail/templates", "/accounts"),
    ):
        page = client.get(typed, headers=PAGE)
        assert page.status_code == 404
        assert f'href="{there}"' in page.text
        assert "<title>Not Found" in page.text
    assert "Perhaps you mean" not in client.get("/zzzz", headers=PAGE).text


def test_a_rep_has_one_colour_whatever_is_drawn(make_user: Callable[..., User], session: Session) -> None:
    ada, reps = make_user("ada", Role.ADMIN), [make_user(name, Role.REP) for name in ("zoe", "rita", "bea")]
    scope = scope_of(session, ada, source="web")
    of_owners = {one.id: colour for one, colour in drawn.coloured(session, scope)}
    for some in (reps, reps[:1], reps[1:]):
        found = drawn.colours(session, scope, [one.id for one in some])
        assert {one.id: found[one.id] for one in some} == {one.id: of_owners[one.id] for one in some}


def test_what_a_preview_of_territories_notes_is_said_in_the_readers_language(
    client_for: Callable[[User | None], TestClient], make_user: Callable[..., User]
) -> None:
    manager = client_for(make_user("mara", Role.MANAGER))
    notes = [
        "The outline of “Bow” crossed itself; what it encloses was kept.",
        "“Bow” and “North” overlap by 7.28 km².",
    ]
    said = [
        manager.get("/territories/said", params={"text": notes}, headers={"accept-language": code}).json()
        for code in ("en", "de")
    ]
    assert said[0] == notes
    assert said[1] == [
        "Der Umriss von «Bow» kreuzte sich; was er umschliesst, blieb.",
        "«Bow» und «North» überlappen sich um 7,28 km².",
    ]
