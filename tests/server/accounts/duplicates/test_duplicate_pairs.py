"""Which pairs a search finds, what it looks at, and that what a person decided stays decided."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import service
from server.accounts.duplicates import merging
from server.accounts.duplicates import pairs as duplicate_pairs
from server.accounts.duplicates import queue as duplicate_queue
from server.accounts.duplicates import rule as duplicate_rule
from server.accounts.duplicates.models import AccountPair
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import Role, User
from server.auth.service import set_team
from server.kit.errors import Forbidden

type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]
type ClientFor = Callable[[User | None], TestClient]

HERE = {"at": (9.52, 47.14), "street": "Landstrasse 12", "postcode": "9490", "city": "Vaduz"}


def search(session: Session) -> int:
    run = duplicate_pairs.search(session)
    assert run is not None
    return run.looked_at


def states(session: Session) -> dict[frozenset[str], str]:
    session.expire_all()
    names = dict(session.execute(select(Account.id, Account.name)).tuples().all())
    return {frozenset((names[p.low_id], names[p.high_id])): p.state for p in session.scalars(select(AccountPair))}


TWINS = frozenset(("Garage Hinterlechner AG", "Hinterlechner Garage"))


@pytest.fixture
def twins(make_account: MakeAccount) -> tuple[Account, Account]:
    """Two rows of one firm, and a neighbour."""
    one = make_account("Garage Hinterlechner AG", phone="+423 230 11 11", yearly_value=Decimal(5000), **HERE)
    other = make_account("Hinterlechner Garage", phone="+4232301111", **HERE)
    make_account("Blumen Rosa", **HERE)
    return one, other


def test_a_search_finds_the_twins_and_looks_again_only_at_what_changed(
    session: Session, twins: tuple[Account, Account]
) -> None:
    assert search(session) == 3
    assert states(session) == {TWINS: "open"}
    assert search(session) == 0
    twins[0].note = "New"
    session.flush()
    assert search(session) == 1
    assert states(session) == {TWINS: "open"}


def test_a_pair_goes_when_one_of_the_two_changes_so_that_they_differ(
    session: Session, scope: MakeScope, ada: User, twins: tuple[Account, Account]
) -> None:
    search(session)
    changes = {"name": "Zahnärzte im Zentrum", "phone": "+423 999 99 99"}
    service.edit(session, scope(ada), twins[1].id, twins[1].rev, changes)
    search(session)
    assert states(session) == {}


def test_what_a_person_told_apart_stays_apart_until_it_changes_materially(
    session: Session, scope: MakeScope, ada: User, twins: tuple[Account, Account]
) -> None:
    search(session)
    one, other = twins
    duplicate_queue.keep_apart(session, scope(ada), one.id, other.id)
    service.edit(session, scope(ada), one.id, one.rev, {"note": "Immaterial", "name": "GARAGE HINTERLECHNER"})
    search(session)
    assert set(states(session).values()) == {"not_duplicate"}
    service.edit(session, scope(ada), other.id, other.rev, {"email": "info@hinterlechner.example"})
    search(session)
    assert set(states(session).values()) == {"open"}


def test_a_block_that_is_too_large_is_counted_and_not_compared(session: Session, make_account: MakeAccount) -> None:
    for number in range(41):
        make_account(f"Mieter {chr(97 + number % 26)}{number}", **HERE)
    run = duplicate_pairs.search(session)
    assert run is not None
    assert run.cut_blocks >= 1
    assert run.cut_pairs >= 41 * 40 // 2


def test_the_queue_shows_the_surest_and_most_valuable_first_and_nothing_out_of_reach(
    session: Session,
    scope: MakeScope,
    make_user: Callable[..., User],
    make_account: MakeAccount,
    ada: User,
    rita: User,
    otto: User,
) -> None:
    for value, where, owner in ((10, (9.2, 47.2), rita), (900, (9.3, 47.2), rita), (5000, (9.8, 47.2), otto)):
        for _ in range(2):
            place = {"at": where, "street": f"Hauptstrasse {value}", "city": "Ort"}
            make_account(f"Firma Zwilling{value}", yearly_value=Decimal(value), owner_id=owner.id, **place)
    search(session)
    mona = make_user("mona", Role.MANAGER)
    set_team(session, "West", [mona.id, rita.id])
    assert [one.worth for one in duplicate_queue.waiting(session, scope(ada))] == [5000, 900, 10]
    assert [one.worth for one in duplicate_queue.waiting(session, scope(mona))] == [900, 10]
    following = duplicate_queue.waiting(session, scope(mona))[0].pair
    after = duplicate_queue.after(session, scope(mona), following.low_id, following.high_id)
    assert after is not None
    assert after.worth == 10


def test_the_rule_is_off_merges_only_what_it_shows_and_is_undone_as_one(
    session: Session, scope: MakeScope, ada: User, rita: User, twins: tuple[Account, Account]
) -> None:
    search(session)
    session.execute(select(AccountPair)).scalar_one().score = 0.995
    session.flush()
    assert duplicate_rule.apply(session, scope(ada)).merges == []
    with pytest.raises(Forbidden):
        duplicate_rule.set_rule(session, scope(rita), is_on=True, threshold=0.95)
    duplicate_rule.set_rule(session, scope(ada), is_on=True, threshold=0.95)
    assert duplicate_rule.would_merge(session, 0.95) == 1
    batch = duplicate_rule.apply(session, scope(ada))
    assert len(batch.merges) == 1
    assert states(session) == {TWINS: "merged"}
    assert [one.merge.batch_id for one in duplicate_queue.merges(session, scope(ada))] == [batch.id]
    assert len(merging.undo_batch(session, scope(ada), batch.id)) == 1
    search(session)
    assert states(session) == {TWINS: "open"}, "nobody said that they are not the same"
    assert duplicate_rule.would_merge(session, 0.95) == 0
    assert duplicate_rule.apply(session, scope(ada)).merges == [], "the rule does not do it again"


def test_after_an_undo_a_pair_is_what_it_was_before_the_merge(
    session: Session, scope: MakeScope, ada: User, twins: tuple[Account, Account]
) -> None:
    ids = [one.id for one in twins]
    made = merging.merge(session, scope(ada), *ids, merging.MergeWish({}))
    merging.undo(session, scope(ada), made.id)
    assert states(session) == {}, "these two were never proposed"
    search(session)
    duplicate_queue.keep_apart(session, scope(ada), *ids)
    made = merging.merge(session, scope(ada), *ids, merging.MergeWish({}))
    assert states(session) == {TWINS: "merged"}
    merging.undo(session, scope(ada), made.id)
    assert states(session) == {TWINS: "not_duplicate"}, "somebody said so"
    duplicate_queue.look_again(session, scope(ada), *ids)
    made = merging.merge(session, scope(ada), *ids, merging.MergeWish({}))
    merging.undo(session, scope(ada), made.id)
    assert states(session) == {TWINS: "open"}
    assert [row.pair.decided_at for row in duplicate_queue.waiting(session, scope(ada))] == [None]


def test_the_rule_leaves_pairs_in_which_a_field_contradicts(
    session: Session, scope: MakeScope, ada: User, twins: tuple[Account, Account]
) -> None:
    search(session)
    pair = session.execute(select(AccountPair)).scalar_one()
    pair.score, pair.contradictions = 1.0, ["phone"]
    session.flush()
    assert duplicate_rule.would_merge(session, 0.95) == 0


def test_the_rule_leaves_two_rows_with_numbers_of_their_own(session: Session, make_account: MakeAccount) -> None:
    for number in ("K-1", "K-2"):
        make_account("Garage Hinterlechner AG", phone="+423 230 11 11", number=number, **HERE)
    search(session)
    pair = session.execute(select(AccountPair)).scalar_one()
    assert (pair.score > 0.95, pair.contradictions) == (True, ["number"])
    assert duplicate_rule.would_merge(session, 0.95) == 0


@pytest.mark.parametrize("kin", ["parent", "sister", "cousin", "merged parent"])
def test_the_rule_merges_no_family(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount, kin: str
) -> None:
    twin = {"phone": "+423 230 11 11", **HERE}
    one = make_account("Garage Hinterlechner AG", **twin)
    head, aunt = make_account("Head of all"), make_account("Other branch")
    other = make_account("Garage Hinterlechner AG", **twin)
    search(session)
    assert duplicate_rule.would_merge(session, 0.95) == 1
    if kin == "parent":
        other.parent_id = one.id
    elif kin == "merged parent":
        merging.merge(session, scope(ada), one.id, head.id, merging.MergeWish({}))
        other.parent_id = head.id
    else:
        one.parent_id = other.parent_id = head.id
    if kin == "cousin":
        aunt.parent_id, other.parent_id = head.id, aunt.id
    session.flush()
    assert duplicate_rule.would_merge(session, 0.95) == 0


PATHS = [
    ("GET", "/api/v1/duplicates"),
    ("GET", "/api/v1/duplicates/search"),
    ("POST", "/api/v1/duplicates/search"),
    ("GET", "/api/v1/duplicates/rule"),
    ("GET", "/api/v1/merges"),
    ("GET", "/duplicates"),
]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_stranger_is_refused(client_for: ClientFor, method: str, path: str) -> None:
    assert client_for(None).request(method, path).status_code == 401


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_a_rep_does_not_merge(client_for: ClientFor, rita: User, method: str, path: str) -> None:
    assert client_for(rita).request(method, path).status_code == 403


def test_a_manager_cannot_touch_a_pair_of_another_team(
    session: Session, client_for: ClientFor, make_user: Callable[..., User], make_account: MakeAccount, otto: User
) -> None:
    mine, theirs = make_account("Mein Haus"), make_account("Fremdes Haus", at=(9.8, 47.2), owner_id=otto.id)
    client = client_for(make_user("mona", Role.MANAGER))
    both = {"one_id": str(mine.id), "other_id": str(theirs.id)}
    assert client.post("/api/v1/duplicates/not-same", json=both).status_code == 404
    assert client.post("/api/v1/duplicates/look-again", json=both).status_code == 404
    answer = client.post(f"/api/v1/accounts/{mine.id}/merge", json={"loser_id": str(theirs.id)})
    assert answer.status_code == 404
    assert client.put("/api/v1/duplicates/rule", json={"is_on": True, "threshold": 0.99}).status_code == 403


def test_the_api_lists_merges_and_undoes(
    session: Session, admin_client: TestClient, twins: tuple[Account, Account]
) -> None:
    search(session)
    (pair,) = admin_client.get("/api/v1/duplicates").json()["items"]
    assert "same phone number" in pair["reasons"]
    assert admin_client.get("/api/v1/duplicates/search").json()["found"] == 1
    winner, loser = pair["one_id"], pair["other_id"]
    made = admin_client.post(f"/api/v1/accounts/{winner}/merge", json={"loser_id": loser})
    assert made.status_code == 201
    again = admin_client.post(f"/api/v1/accounts/{winner}/merge", json={"loser_id": loser})
    assert again.json()["id"] == made.json()["id"], "twice is once"
    assert admin_client.get("/api/v1/duplicates").json()["items"] == []
    assert [one["loser_id"] for one in admin_client.get("/api/v1/merges").json()["items"]] == [loser]
    undone = admin_client.post(f"/api/v1/merges/{made.json()['id']}/undo").json()
    assert undone["kept"] == []
    assert admin_client.get(f"/api/v1/accounts/{loser}").status_code == 200
    wrong = admin_client.post(
        f"/api/v1/accounts/{winner}/merge", json={"loser_id": loser, "choices": {"phone": "both"}}
    )
    assert (wrong.status_code, wrong.json()["field"]) == (422, "phone")
