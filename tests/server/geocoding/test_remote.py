"""Geocoders elsewhere: asked only when an admin agreed, at their pace, once, and believed modestly."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, select, text, update

from geo.geocode.types import AddressQuery, Answer, Reason
from geo.types import Grade, LonLat
from server.geocoding import providers, queries, remote
from server.geocoding.models import RemoteAnswer, RemoteDay, RemoteProvider
from server.geocoding.remote import Paused, Setup
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid
from server.kit.settings import settings
from tests.server import peers
from tests.server.geocoding import remote_peer
from tests.server.geocoding.remote_peer import Peer

QUESTION = AddressQuery(name="Secret Ltd", street="7 Mill Rd", postcode="21228", city="Catonsville", country="US")
NOWHERE = AddressQuery(query="Plutonium Alley 3, Atlantis")


@pytest.fixture
def peer(empty_database: Engine) -> Iterator[Peer]:
    with remote_peer.running() as running:
        yield running


@pytest.fixture
def switch_on(peer: Peer) -> Callable[..., None]:
    """Switch a provider on that is the peer: `switch_on("photon", daily_cap=2)`."""

    def switch(key: str = "nominatim", interval_s: float = 0.01, daily_cap: int = 100) -> None:
        with transaction() as session:
            setup = Setup(peer.url, "Example Ltd, it@example.com", interval_s, daily_cap)
            remote.configure(session, key, setup, accepts=True, actor=None)

    return switch


def day(key: str = "nominatim") -> tuple[int, int, int, int]:
    with transaction() as session:
        row = session.get_one(RemoteDay, (key, clock.today(settings().zone)))
        return row.asked, row.answered, row.refused, row.remembered


def none_open(seconds: float) -> None:
    """Waiting is not really waited for."""


def test_nobody_is_asked_unless_it_is_switched_on(peer: Peer) -> None:
    assert remote.ask(QUESTION) is None
    assert peer.asked == []


@pytest.fixture
def with_key(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A key in the environment, for the providers that want one."""
    monkeypatch.setenv("WAYMARK_REMOTE_GEOCODER_KEY", "hush-hush")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.mark.usefixtures("with_key")
@pytest.mark.parametrize("key", list(providers.PROVIDERS))
def test_an_answer_names_its_provider_and_is_asked_for_once(
    peer: Peer, switch_on: Callable[..., None], key: str
) -> None:
    switch_on(key)
    first, second = remote.ask(QUESTION), remote.ask(QUESTION)
    assert first == second
    assert isinstance(first, Answer)
    assert (first.provider, first.grade, first.number, first.reason) == (key, Grade.ROOFTOP, "7", Reason.EXACT)
    assert first.point == LonLat(-76.7000001, 39.2345678)
    assert 0.8 <= first.confidence < 0.9
    assert peer.asked == ["7 Mill Rd, 21228 Catonsville, US"]
    assert peer.agents == {"Example Ltd, it@example.com"}
    assert day(key) == (1, 1, 0, 1)
    with transaction() as session:
        assert providers.PROVIDERS[key].credit in queries.attributions(session)


def test_the_firms_name_is_never_sent(peer: Peer, switch_on: Callable[..., None]) -> None:
    switch_on()
    assert remote.ask(AddressQuery(name="Secret Ltd")) is None
    remote.ask(QUESTION)
    assert not any("Secret" in question for question in peer.asked)


@pytest.mark.usefixtures("with_key")
@pytest.mark.parametrize("key", list(providers.PROVIDERS))
def test_that_it_knows_nothing_is_remembered_too(peer: Peer, switch_on: Callable[..., None], key: str) -> None:
    switch_on(key)
    for _ in range(2):
        answer = remote.ask(NOWHERE)
        assert isinstance(answer, Answer)
        assert (answer.point, answer.reason) == (None, Reason.NOT_FOUND)
    assert len(peer.asked) == 1


@pytest.mark.parametrize(
    ("instead", "why", "pause_s"),
    [
        ((429, {"Retry-After": "120"}, b"{}"), "ask too much", 120),
        ((503, {}, b"{}"), "does not answer", 60),
        ((403, {}, b"{}"), "our key", 3600),
        ((400, {}, b'{"error": "x"}'), "does not accept our question", 3600),
        ((414, {}, b"<html>"), "does not accept our question", 3600),
        ((302, {"Location": "/search?q=Mill+Road+7"}, b""), "sends us on", 3600),
        ((200, {}, b"[]" + b" " * 1_000_000), "longer", 3600),
        ((200, {}, b"[" * 100_000), "does not answer as it should", 60),
        ((200, {}, b"<html>not json"), "does not answer", 60),
        ((200, {}, b'[{"lat": "x"}]'), "not what such a geocoder says", 60),
        ((200, {}, b'{"weather": "fine"}'), "not what such a geocoder says", 60),
    ],
)
def test_a_refusal_makes_everybody_pause_and_is_told(
    peer: Peer, switch_on: Callable[..., None], instead: tuple[int, dict[str, str], bytes], why: str, pause_s: int
) -> None:
    switch_on()
    peer.instead = instead
    refused = remote.ask(QUESTION)
    assert isinstance(refused, Paused)
    assert why in refused.why
    assert len(peer.asked) == 1
    peer.instead = None
    again = remote.ask(QUESTION, wait=none_open)
    assert isinstance(again, Paused)
    assert why in again.why
    assert again.until is not None
    assert abs((again.until - clock.now()) - timedelta(seconds=pause_s)) < timedelta(seconds=30)
    assert len(peer.asked) == 1
    with transaction() as session:
        session.execute(text("update geocoding_remote set next_at = now()"))
    assert isinstance(remote.ask(QUESTION), Answer)
    assert day() == (2, 1, 1, 0)
    with transaction() as session:
        assert session.scalars(select(RemoteProvider.trouble)).one() == ""


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_says_a_letter_now_and_then_is_given_up(
    switch_on: Callable[..., None], monkeypatch: pytest.MonkeyPatch, greeting: bytes
) -> None:
    monkeypatch.setitem(providers._PLAINLY, "timeout", 0.3)
    switch_on()
    with peers.drip(greeting) as port:
        with transaction() as session:
            session.execute(update(RemoteProvider).values(url=f"http://127.0.0.1:{port}"))
        refused = remote.ask(QUESTION)
    assert isinstance(refused, Paused)
    assert "in time" in refused.why


def test_a_server_in_a_private_network_is_asked_only_where_that_is_allowed(
    peer: Peer, switch_on: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_on()
    monkeypatch.setattr(settings(), "private_targets", False)
    refused = remote.ask(QUESTION)
    assert isinstance(refused, Paused)
    assert "private network" in refused.why
    assert peer.asked == []


def test_a_question_that_is_not_accepted_lets_others_go_first_for_a_day(
    peer: Peer, switch_on: Callable[..., None]
) -> None:
    switch_on()
    peer.instead = (400, {}, b"{}")
    assert isinstance(remote.ask(NOWHERE), Paused)
    with transaction() as session:
        assert remote.refused_lately(session, [NOWHERE, QUESTION]) == {NOWHERE}
        assert remote.remembered(session, [NOWHERE]) == {}, "it is not unknown"
        assert remote.usage(session, "nominatim")["kept"] == 0
        session.execute(update(RemoteAnswer).values(asked_at=clock.now() - timedelta(days=1, minutes=1)))
        assert remote.refused_lately(session, [NOWHERE, QUESTION]) == set()


def test_a_server_that_is_not_there_is_a_refusal(peer: Peer, switch_on: Callable[..., None]) -> None:
    switch_on()
    with transaction() as session:
        session.execute(text("update geocoding_remote set url = 'http://127.0.0.1:1'"))
    assert isinstance(remote.ask(QUESTION), Paused)
    assert day() == (1, 0, 1, 0)


def test_the_daily_cap_holds_for_all_workers_together(peer: Peer, switch_on: Callable[..., None]) -> None:
    switch_on(daily_cap=2)
    answers = [remote.ask(AddressQuery(query=f"Mill Road {n}, Catonsville")) for n in range(4)]
    assert [isinstance(answer, Paused) for answer in answers] == [False, False, True, True]
    assert isinstance(answers[2], Paused)
    assert "daily cap of 2" in answers[2].why
    assert len(peer.asked) == 2


def test_workers_wait_for_their_turn_or_leave_it_to_a_later_job(peer: Peer, switch_on: Callable[..., None]) -> None:
    switch_on(interval_s=3.0)
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        with transaction() as session:
            session.execute(text("update geocoding_remote set next_at = now()"))

    remote.ask(QUESTION, wait)
    assert waited == []
    remote.ask(NOWHERE, wait)
    assert len(waited) == 1
    assert 0 < waited[0] <= 3.0
    with transaction() as session:
        session.execute(text("update geocoding_remote set next_at = now() + interval '1 minute'"))
    assert isinstance(remote.ask(AddressQuery(query="Elsewhere 3"), wait), Paused)
    assert len(waited) == 1


def test_no_transaction_is_open_while_a_provider_is_asked(
    peer: Peer, switch_on: Callable[..., None], empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch_on()
    seen: list[int] = []
    real = remote_peer.answer

    def look(path: str, question: str) -> object:
        with empty_database.connect() as connection:
            statement = "select count(*) from pg_stat_activity where datname = current_database() and pid <>"
            statement += " pg_backend_pid() and state like 'idle in transaction%'"
            seen.append(connection.execute(text(statement)).scalar_one())
        return real(path, question)

    monkeypatch.setattr(remote_peer, "answer", look)
    remote.ask(QUESTION)
    assert seen == [0]


@pytest.mark.parametrize(
    ("found", "most"),
    [
        (providers.Found(-76.7, 39.2, "rooftop", "9", "Mill Road", "21228", "Catonsville", "US"), 0.2),
        (providers.Found(-76.7, 39.2, "rooftop", "7", "Plutonium Alley", "21228", "Catonsville", "US"), 0.2),
        (providers.Found(-76.7, 39.2, "rooftop", "7", "Mill Road", "99999", "Springfield", "US"), 0.5),
        (providers.Found(-76.7, 39.2, "interpolated", "7", "Mill Road", "21228", "Catonsville", "US"), 0.7),
        (providers.Found(-76.7, 39.2, "street", "", "Mill Road", "21228", "Catonsville", "US"), 0.5),
        (providers.Found(-76.7, 39.2, "locality", "", "", "21228", "Catonsville", "US"), 0.3),
    ],
)
def test_an_answer_is_never_believed_more_than_its_type_says(found: providers.Found, most: float) -> None:
    answer = providers.judged(found, QUESTION, remote.text_of(QUESTION), providers.PROVIDERS["photon"])
    assert answer.confidence <= most
    assert answer.grade == found.grade


def test_our_own_answer_stays_when_it_is_as_sure(peer: Peer, switch_on: Callable[..., None]) -> None:
    switch_on()
    remote.ask(QUESTION)
    unsure = Answer(LonLat(1, 2), confidence=0.3, region_version="v1")
    sure = Answer(LonLat(1, 2), confidence=0.85, region_version="v1")
    with transaction() as session:
        chosen = remote.better(session, [QUESTION, QUESTION, NOWHERE], [unsure, sure, unsure])
    assert [answer.provider for answer in chosen] == ["nominatim", "waymark", "waymark"]
    assert chosen[0].region_version == "v1"


@pytest.mark.usefixtures("with_key")
def test_an_answer_is_forgotten_after_its_term_and_asked_for_again(peer: Peer, switch_on: Callable[..., None]) -> None:
    switch_on("google")
    remote.ask(QUESTION)
    with transaction() as session:
        assert (remote.forget(session), remote.outlived(session, "google", [QUESTION])) == (0, set())
        session.execute(text("update geocoding_remote_answer set asked_at = now() - interval '29 days 1 hour'"))
        assert remote.remembered(session, [QUESTION]) == {}
        assert remote.outlived(session, "google", [QUESTION]) == {QUESTION}
    assert isinstance(remote.ask(QUESTION), Answer)
    assert len(peer.asked) == 2, "it is asked again"
    with transaction() as session:
        session.execute(text("update geocoding_remote_answer set asked_at = now() - interval '29 days 1 hour'"))
        assert remote.forget(session) == 1
        assert session.scalars(select(RemoteAnswer)).all() == []


def test_what_cannot_be_is_refused(peer: Peer) -> None:
    good = Setup(peer.url, "Example Ltd, it@example.com", 1.0, 100)
    cases = [
        ("nominatim", good, False, "terms are not accepted"),
        ("google", good, True, "wants a key"),
        ("nominatim", Setup("ftp://x", good.user_agent, 1, 1), True, "not the address of a server"),
        ("nominatim", Setup("https://me:secret@x", good.user_agent, 1, 1), True, "not the address of a server"),
        ("nominatim", Setup(peer.url, "x", 1, 1), True, "must name you"),
        ("nominatim", Setup("https://nominatim.openstreetmap.org", good.user_agent, 0.1, 1), True, "At least 1 sec"),
        ("nominatim", Setup(peer.url, good.user_agent, 1, 0), True, "daily cap"),
    ]
    for key, setup, accepts, message in cases:
        with pytest.raises(Invalid, match=message), transaction() as session:
            remote.configure(session, key, setup, accepts=accepts, actor=None)


def test_the_key_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_REMOTE_GEOCODER_KEY", "hush-hush")
    settings.cache_clear()
    assert remote.secret() == "hush-hush"
    assert "hush-hush" not in repr(settings())
    monkeypatch.undo()
    settings.cache_clear()


def test_a_question_is_remembered_however_it_is_written(peer: Peer, switch_on: Callable[..., None]) -> None:
    switch_on()
    remote.ask(AddressQuery(query="Mill Road 7,  Catonsville"))
    remote.ask(AddressQuery(query="MILL ROAD 7, Catonsville"))
    with transaction() as session:
        assert len(session.scalars(select(RemoteAnswer)).all()) == 1
    assert len(peer.asked) == 1
