"""Two accounts become one and, when it was wrong, two again."""

import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from server.accounts import places, queries, service, tree
from server.accounts.duplicates import merging
from server.accounts.duplicates.choices import proposed
from server.accounts.duplicates.merging import MergeWish
from server.accounts.models import Account
from server.auth.access import Scope, system_scope
from server.auth.models import User
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Conflict, PreconditionFailed
from server.records.joining import AlreadyMerged, UndoTooLate
from server.records.service import Actor, acting

type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]

AS_PROPOSED = MergeWish({})
ROWS = text(
    """
    select md5(string_agg(row, '|' order by row)) from (
        select (to_jsonb(a) - array['rev', 'frev', 'updated_at'])::text as row from account a
        union all select (to_jsonb(s) - array['rev', 'frev', 'updated_at'])::text from site s
        union all select to_jsonb(r)::text from account_rep r
    ) rows
    """
)


def hashed(session: Session) -> str:
    session.flush()
    return str(session.scalar(ROWS))


@pytest.fixture
def pair(
    make_account: MakeAccount, session: Session, scope: MakeScope, ada: User, rita: User
) -> tuple[Account, Account]:
    """A customer, and what somebody else typed of it, with a second site and a rep of its own."""
    place = {"street": "Landstrasse 12", "postcode": "9490", "city": "Vaduz"}
    one = make_account("Garage Beck AG", at=(9.2, 47.1), number="K-1", status="customer", tags=["vip"], **place)
    other = make_account(
        "Beck Garage", at=(9.2002, 47.1), number="K-2", phone="+423 230 11 11", tags=["oil"], email="x@beck.li",
        note="Ask for Eva", yearly_value=Decimal(700), street="Landstr. 12", city="Vaduz",
    )  # fmt: skip
    places.create_site(session, scope(ada), other.id, {"name": "Lager", "lon": 9.7, "lat": 47.2})
    service.assign(session, scope(ada), other.id, [rita.id])
    other.last_visit_on = date(2026, 5, 1)
    session.flush()
    session.refresh(one)
    session.refresh(other)
    return one, other


def test_the_winner_gets_what_it_lacked_and_the_loser_leads_to_it(
    session: Session, scope: MakeScope, ada: User, rita: User, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
    assert (one.name, one.number, one.status) == ("Garage Beck AG", "K-1", "customer")
    assert (one.phone_e164, one.email, one.note, one.yearly_value) == ("+4232301111", "x@beck.li", "Ask for Eva", 700)
    assert one.tags == ["vip", "oil"]
    assert one.last_visit_on == date(2026, 5, 1)
    assert (other.merged_into, other.number) == (one.id, "K-2")
    assert queries.reps_of(session, one.id) == [rita.id]
    sites = queries.sites_of(session, [one.id])
    assert [(site.name, site.street, site.is_main) for site in sites] == [
        (None, "Landstrasse 12", True),
        ("Lager", None, False),
    ]
    assert queries.seen_of(session, scope(ada), [other.id]) == {other.id}


def test_the_companys_own_fields_of_both_stay_and_go_back(
    session: Session, scope: MakeScope, ada: User, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    one.custom, other.custom = {"bays": 3, "brand": ""}, {"bays": 4, "brand": "Opel", "tested": True}
    session.flush()
    before = hashed(session)
    made = merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
    assert one.custom == {"bays": 3, "brand": "Opel", "tested": True}
    assert merging.undo(session, scope(ada), made.id).kept == ()
    assert hashed(session) == before
    made = merging.merge(session, scope(ada), one.id, other.id, MergeWish({"custom": "loser"}))
    assert one.custom == other.custom
    one.custom = {**one.custom, "bays": 9}
    session.flush()
    assert merging.undo(session, scope(ada), made.id).kept == ("Own fields",)


def test_what_is_undone_is_as_it_was(
    session: Session, scope: MakeScope, ada: User, pair: tuple[Account, Account]
) -> None:
    before = hashed(session)
    one, other = pair
    choices = {name: "loser" for name, is_same, _ in proposed(session, system_scope(), one, other) if not is_same}
    wish = MergeWish(choices, main_site="loser", same_place=True)  # type: ignore[arg-type]
    made = merging.merge(session, scope(ada), one.id, other.id, wish)
    assert (one.number, other.number, one.name) == ("K-2", "K-1", "Beck Garage")
    assert hashed(session) != before
    assert merging.undo(session, scope(ada), made.id).kept == ()
    assert hashed(session) == before
    assert merging.undo(session, scope(ada), made.id).kept == (), "twice is once"
    assert hashed(session) == before


values = st.fixed_dictionaries(
    {},
    optional={
        "number": st.sampled_from(["K-1", "K-2"]),
        "phone": st.sampled_from(["+423 230 11 11", "nonsense"]),
        "email": st.just("a@b.example"),
        "tags": st.lists(st.sampled_from(["a", "b", "C"]), unique=True),
        "note": st.sampled_from(["one", "two\nlines"]),
        "yearly_value": st.sampled_from([Decimal("1.50"), Decimal(70000)]),
        "account_class": st.sampled_from("ABC"),
        "interval_days": st.integers(1, 100),
        "status": st.sampled_from(["prospect", "customer", "former"]),
        "at": st.sampled_from([(9.2, 47.1), (9.2001, 47.1), (9.7, 47.2)]),
        "street": st.sampled_from(["Landstrasse 1", "Landstr. 1", "Gasse 9"]),
    },
)
SIDES = st.sampled_from(["winner", "loser"])


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(values, values, st.dictionaries(st.sampled_from(["name", "number", "phone", "value", "status"]), SIDES), SIDES)
def test_merge_then_undo_restores_every_row(
    session: Session,
    scope: MakeScope,
    ada: User,
    make_account: MakeAccount,
    mine: dict[str, Any],
    theirs: dict[str, Any],
    choices: dict[str, Any],
    main: Any,
) -> None:
    if mine.get("number") == theirs.get("number"):
        theirs = {name: value for name, value in theirs.items() if name != "number"}
    with session.begin_nested() as savepoint:
        one, other = make_account("Eins", **mine), make_account("Zwei", **theirs)
        before = hashed(session)
        wish = MergeWish(choices, main_site=main)
        made = merging.merge(session, scope(ada), one.id, other.id, wish)
        assert merging.undo(session, scope(ada), made.id).kept == ()
        assert hashed(session) == before
        savepoint.rollback()
    session.expire_all()


def test_what_was_edited_since_stays_and_is_named(
    session: Session, scope: MakeScope, ada: User, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    made = merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
    service.edit(session, scope(ada), one.id, one.rev, {"phone": "+423 999 99 99"})
    undone = merging.undo(session, scope(ada), made.id)
    assert undone.kept == ("Phone",)
    assert (one.phone, one.email, one.tags) == ("+423 999 99 99", None, ["vip"])
    assert (other.phone, other.merged_into) == ("+423 230 11 11", None)


def test_a_chain_of_merges_is_undone_in_either_order(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    third = make_account("Garage Beck Vaduz", at=(9.3, 47.2), city="Schaan", street="Gasse 3")
    before = hashed(session)
    for order in (1, -1):
        first = merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
        second = merging.merge(session, scope(ada), third.id, one.id, AS_PROPOSED)
        assert queries.surviving(session, other.id) == third.id
        assert {site.account_id for site in queries.sites_of(session, [one.id, other.id, third.id])} == {third.id}
        for made in (first, second)[::order]:
            assert merging.undo(session, scope(ada), made.id).kept == (), "nobody has edited anything"
        assert hashed(session) == before


def test_a_site_that_somebody_edited_within_a_chain_of_merges_is_named(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    third = make_account("Garage Beck Vaduz", at=(9.3, 47.2), city="Schaan", street="Gasse 3")
    first = merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
    merging.merge(session, scope(ada), third.id, one.id, AS_PROPOSED)
    acting(session, Actor(ada.id, "web"))
    store = next(site for site in queries.sites_of(session, [third.id]) if site.name == "Lager")
    store.deleted_at = clock.now()
    session.flush()
    assert merging.undo(session, scope(ada), first.id).kept == ("site Lager",)


def test_after_thirty_days_it_is_too_late(
    session: Session, scope: MakeScope, ada: User, pair: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = merging.merge(session, scope(ada), pair[0].id, pair[1].id, AS_PROPOSED)
    later = clock.now() + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    with pytest.raises(UndoTooLate, match="more than 30 days ago"):
        merging.undo(session, scope(ada), made.id)


def test_a_merge_into_what_was_merged_away_says_where_it_went(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
    with pytest.raises(AlreadyMerged, match="merged into “Garage Beck AG”"):
        merging.merge(session, scope(ada), other.id, one.id, AS_PROPOSED)
    with pytest.raises(AlreadyMerged):
        merging.merge(session, scope(ada), make_account("Third").id, other.id, AS_PROPOSED)


def test_a_choice_made_on_an_older_state_is_refused(
    session: Session, scope: MakeScope, ada: User, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    revs = (one.rev, other.rev)
    service.edit(session, scope(ada), other.id, other.rev, {"note": "New"})
    with pytest.raises(PreconditionFailed, match="changed after you read it"):
        merging.merge(session, scope(ada), one.id, other.id, MergeWish({}, revs=revs))


def test_a_deleted_winner_is_restored_before_the_undo(
    session: Session, scope: MakeScope, ada: User, pair: tuple[Account, Account]
) -> None:
    one, other = pair
    made = merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
    service.delete(session, scope(ada), one.id, one.rev)
    with pytest.raises(Conflict, match="is deleted"):
        merging.undo(session, scope(ada), made.id)


def test_of_two_values_the_one_that_a_person_edited_last_is_proposed(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount
) -> None:
    one, other = make_account("Beck", phone="1", email="a@b.li"), make_account("Beck", phone="2", email="c@d.li")
    acting(session, Actor(ada.id, "web"))
    service.edit(session, scope(ada), other.id, other.rev, {"phone": "3"})
    sides = {name: side for name, _, side in proposed(session, system_scope(), one, other)}
    assert (sides["phone"], sides["email"]) == ("loser", "winner")


def test_two_managers_who_merge_both_ways_at_once_get_one_outcome(empty_database: Engine) -> None:
    from server.accounts.service import NewAccount

    with transaction() as session:
        ids = [service.create(session, system_scope(), NewAccount({"name": name})).id for name in ("Beck", "Öhri")]
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def merge(winner: Any, loser: Any) -> None:
        start.wait(10)
        try:
            with transaction() as session:
                merging.merge(session, system_scope(), winner, loser, AS_PROPOSED)
            outcomes.append("merged")
        except AlreadyMerged:
            outcomes.append("refused")

    threads = [threading.Thread(target=merge, args=order) for order in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["merged", "refused"]
    with transaction() as session:
        assert session.scalar(text("select count(*) from account where merged_into is not null")) == 1


def below(session: Session, account: Account) -> list[tuple[str, int]]:
    return [(one.account.name, one.depth) for one in tree.below(session, system_scope(), account.id)]


@pytest.mark.parametrize("between", [0, 1, 2])
def test_a_parent_that_goes_into_what_stands_below_it_makes_no_circle(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount, between: int
) -> None:
    """The winner stood below itself, and its page could not be opened."""
    top = make_account("Top")
    loser = make_account("Loser", parent_id=top.id)
    chain = [loser]
    for place in range(between):
        chain.append(make_account(f"Between {place}", parent_id=chain[-1].id))
    winner = make_account("Winner", parent_id=chain[-1].id)
    make_account("Sister", parent_id=loser.id)
    make_account("Child", parent_id=winner.id)
    before = hashed(session)
    made = merging.merge(session, scope(ada), winner.id, loser.id, AS_PROPOSED)
    assert winner.parent_id == top.id
    assert [one.name for one in tree.chain(session, winner.id)] == ["Top"]
    names = {"Sister": 1, "Child": 1} | {f"Between {place}": place + 1 for place in range(between)}
    assert dict(below(session, winner)) == names
    assert below(session, top)[0] == ("Winner", 1)
    assert tree.height(session, top.id) == 3 + max(0, between - 1)
    sister = session.scalars(select(Account).where(Account.name == "Sister")).one()
    with pytest.raises(tree.Circle):
        service.edit(session, scope(ada), top.id, top.rev, {"parent_id": sister.id})
    assert merging.undo(session, scope(ada), made.id).kept == ()
    assert hashed(session) == before


def test_an_undone_merge_does_not_close_a_circle_that_was_begun_meanwhile(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount
) -> None:
    loser = make_account("Loser")
    between = make_account("Between", parent_id=loser.id)
    winner = make_account("Winner", parent_id=between.id)
    made = merging.merge(session, scope(ada), winner.id, loser.id, AS_PROPOSED)
    other = make_account("Other", parent_id=winner.id)
    session.refresh(between)
    service.edit(session, scope(ada), between.id, between.rev, {"parent_id": other.id})
    assert merging.undo(session, scope(ada), made.id).kept == ("Parent account",)
    assert not any(tree.is_in_circle(session, one.id) for one in (loser, between, winner, other))
    assert below(session, winner) == [("Other", 1), ("Between", 2)]


def test_the_tree_is_read_to_an_end_whatever_stands_in_it(session: Session, make_account: MakeAccount) -> None:
    one, other = make_account("One"), make_account("Other")
    one.parent_id, other.parent_id = other.id, one.id
    session.flush()
    assert below(session, one) == [("Other", 1)]
    assert [account.name for account in tree.chain(session, one.id)] == ["Other"]
    assert tree.height(session, one.id) == 2


def test_of_two_sites_that_are_one_place_the_pin_that_people_have_set_stays(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount
) -> None:
    place = {"street": "Aeulestrasse 30", "postcode": "9490", "city": "Vaduz"}
    one, other = make_account("Amann AG", at=(9.2, 47.1), **place), make_account("Amann", at=(9.203, 47.1), **place)
    found, placed = (queries.sites_of(session, [account.id])[0] for account in (one, other))
    found.grade, placed.grade = "rooftop", "manual"
    session.flush()
    before = hashed(session)
    made = merging.merge(session, scope(ada), one.id, other.id, AS_PROPOSED)
    session.expire_all()
    assert [(site.id, site.is_main) for site in queries.sites_of(session, [one.id])] == [(placed.id, True)]
    assert found.deleted_at is not None
    assert merging.undo(session, scope(ada), made.id).kept == ()
    assert hashed(session) == before
