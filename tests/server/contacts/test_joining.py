"""Two contacts of one person become one: nothing of either is lost, the stricter answer holds, and it is taken back."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from server.contacts import consent, joining, queries, service
from server.contacts.consent import Said, may_contact
from server.contacts.models import Channel, ConsentState, Contact, ContactAccount, How, Purpose
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.records.joining import AlreadyMerged, UndoTooLate
from server.recycling import queries as bin_queries
from server.recycling import service as recycling


@pytest.fixture
def make(session: Any, scope: Any, ada: Any) -> Any:
    """Take a person in, perhaps at accounts: {account: what they are there}."""

    def one(last: str, at: dict[Any, dict[str, Any]] | None = None, **more: Any) -> Contact:
        found = [service.NewPlace(account.id, values) for account, values in (at or {}).items()]
        return service.create(session, scope(ada), {"last_name": last, **more}, found)

    return one


def say(
    session: Any, whom: Contact, state: ConsentState, days_ago: float, purpose: Purpose = Purpose.MARKETING
) -> None:
    at = clock.now() - timedelta(days=days_ago)
    consent.note_consent(session, whom, Said(Channel.MAIL, purpose, state, How.CALL, at=at), by=None)


def may(session: Any, whom: Contact, purpose: Purpose = Purpose.MARKETING) -> bool:
    return may_contact(session, whom, Channel.MAIL, purpose)[0]


def test_a_merge_puts_together_and_is_taken_back(
    session: Any, scope: Any, ada: Any, make_account: Any, make: Any
) -> None:
    shared, first, second = make_account("Amann"), make_account("Beck"), make_account("Zech")
    winner = make("Marxer", {shared: {"roles": ["buyer"]}, first: {}}, mails=["eva@example.li"], note="Tall")
    loser = make(
        "Marxer-Beck",
        {shared: {"roles": ["owner", "buyer"], "is_primary": True}, second: {"is_primary": True}},
        mails=["EVA@example.li", "e.m@example.li"], phones=["+423 237 12 12"], title="Buyer", note="Kind",
        do_not_contact=True, do_not_contact_reason="Moved away",
    )  # fmt: skip
    made = joining.merge(session, scope(ada), winner.id, loser.id, {"name": "loser", "note": "both"})
    assert joining.merge(session, scope(ada), winner.id, loser.id, {}).id == made.id
    assert (winner.last_name, winner.title, winner.note) == ("Marxer-Beck", "Buyer", "Tall\n\nKind")
    assert (winner.do_not_contact, winner.do_not_contact_reason) == (True, "Moved away")
    assert winner.mail_addresses == ["eva@example.li", "e.m@example.li"]
    assert winner.phone_numbers == ["+4232371212"]

    def at(account: Any) -> list[Any]:
        found = queries.of_account(session, scope(ada), account.id)
        return [(one.id, list(link.roles), link.is_primary) for one, link in found]

    assert at(shared) == [(winner.id, ["buyer", "owner"], True)]
    assert at(second) == [(winner.id, [], True)]
    with pytest.raises(NotFound):
        queries.find(session, scope(ada), loser.id)

    service.edit(session, scope(ada), winner.id, winner.rev, {"title": "Head of purchasing"})
    _, kept = joining.undo(session, scope(ada), made.id)
    assert kept == ("Function",)
    assert joining.undo(session, scope(ada), made.id)[1] == ()
    assert (winner.last_name, winner.title, winner.note) == ("Marxer", "Head of purchasing", "Tall")
    assert (winner.do_not_contact, winner.mail_addresses, winner.phone_numbers) == (False, ["eva@example.li"], [])
    assert sorted(at(shared)) == sorted([(winner.id, ["buyer"], False), (loser.id, ["owner", "buyer"], True)])
    assert at(second) == [(loser.id, [], True)]
    assert [one[0] for one in at(first)] == [winner.id]


@pytest.mark.parametrize("withdrawn_by", ["winner", "loser"])
def test_of_two_answers_the_stricter_holds_until_the_person_says_something_new(
    session: Any, scope: Any, ada: Any, make: Any, withdrawn_by: str
) -> None:
    eva, twin = make("Marxer"), make("Marxer")
    strict, lax = (eva, twin) if withdrawn_by == "winner" else (twin, eva)
    say(session, strict, ConsentState.WITHDRAWN, 20)
    say(session, lax, ConsentState.GIVEN, 10)
    say(session, twin, ConsentState.WITHDRAWN, 5, Purpose.SERVICE)
    made = joining.merge(session, scope(ada), eva.id, twin.id, {})
    assert not may(session, eva)
    assert not may(session, eva, Purpose.SERVICE)
    assert [row.contact.id for row in queries.page(session, scope(ada), filter="may_mail = no").rows] == [eva.id]
    joining.undo(session, scope(ada), made.id)
    assert (may(session, strict), may(session, lax)) == (False, True)
    assert may(session, eva, Purpose.SERVICE)
    joining.merge(session, scope(ada), eva.id, twin.id, {})
    say(session, eva, ConsentState.GIVEN, 0)
    assert may(session, eva)


def test_what_nobody_may_choose_and_what_was_changed_meanwhile_is_refused(
    session: Any, scope: Any, ada: Any, make: Any
) -> None:
    eva, twin = make("Marxer"), make("Marxer", do_not_contact=True)
    with pytest.raises(Invalid, match="the stricter of both holds"):
        joining.merge(session, scope(ada), eva.id, twin.id, {"refusal": "winner"})
    with pytest.raises(Invalid, match="itself"):
        joining.merge(session, scope(ada), eva.id, eva.id, {})
    third = make("Beck")
    joining.merge(session, scope(ada), third.id, twin.id, {})
    with pytest.raises(AlreadyMerged):
        joining.merge(session, scope(ada), eva.id, twin.id, {})
    late = joining.merge(session, scope(ada), eva.id, third.id, {})
    assert session.get_one(Contact, twin.id).merged_into == eva.id
    joining.undo(session, scope(ada), late.id)
    assert session.get_one(Contact, twin.id).merged_into == third.id


def test_each_own_field_comes_back_by_itself(session: Any, scope: Any, ada: Any, make: Any) -> None:
    winner, loser = make("Marxer"), make("Marxer-Beck")
    winner.custom, loser.custom = {"hobby": "Ski"}, {"shoe": "44", "size": "M"}
    session.flush()
    made = joining.merge(session, scope(ada), winner.id, loser.id, {"custom": "both"})
    assert winner.custom == {"hobby": "Ski", "shoe": "44", "size": "M"}
    winner.custom = winner.custom | {"size": "L"}
    session.flush()
    _, kept = joining.undo(session, scope(ada), made.id)
    assert winner.custom == {"hobby": "Ski", "size": "L"}, "one was edited since; the other is taken back"
    assert kept == ("Own fields",)


def test_who_reaches_only_one_of_the_two_is_told_so(
    client_for: Any, session: Any, scope: Any, ada: Any, rita: Any, otto: Any, make_account: Any, make: Any
) -> None:
    west, east = make_account("Amann", at=(9.2, 47.2)), make_account("Beck", at=(9.7, 47.2))
    winner, loser = make("Marxer", {west: {}}), make("Marxer-Beck", {east: {}})
    made = joining.merge(session, scope(ada), winner.id, loser.id, {})
    path = f"/api/v1/contact-merges/{made.id}/undo"
    refused = client_for(rita).post(path)
    assert (refused.status_code, refused.json()["detail"]) == (
        403, "You reach only one of the two records of this merge.",
    )  # fmt: skip
    assert "Ask somebody who reaches both" in refused.json()["help"]
    assert client_for(otto).post(path).status_code == 200, "both are at the account that is in reach now"


def test_merges_into_one_are_taken_back_in_turn_so_that_no_refusal_is_lost(
    session: Any, scope: Any, ada: Any, make: Any
) -> None:
    eva, first, second = make("Marxer"), make("Beck", do_not_contact=True), make("Nigg", do_not_contact=True)
    early = joining.merge(session, scope(ada), eva.id, first.id, {})
    late = joining.merge(session, scope(ada), eva.id, second.id, {})
    with pytest.raises(Conflict, match="Another contact"):
        joining.undo(session, scope(ada), early.id)
    assert session.get_one(Contact, eva.id).do_not_contact
    joining.undo(session, scope(ada), late.id)
    assert session.get_one(Contact, eva.id).do_not_contact
    joining.undo(session, scope(ada), early.id)
    assert not session.get_one(Contact, eva.id).do_not_contact


def test_who_is_still_there_does_not_leave_by_a_merge(
    session: Any, scope: Any, ada: Any, make: Any, make_account: Any
) -> None:
    place = make_account("Amann")
    eva = make("Marxer", {place: {"since": date(2018, 1, 1), "until": date(2020, 1, 1)}})
    made = joining.merge(session, scope(ada), eva.id, make("Beck", {place: {}}).id, {})
    [held] = session.scalars(joining.places(eva.id)).all()
    assert held.until is None
    joining.undo(session, scope(ada), made.id)
    session.refresh(held)
    assert held.until == date(2020, 1, 1)


def test_a_merge_lies_in_the_bin_for_30_days(session: Any, scope: Any, ada: Any, make: Any) -> None:
    eva, twin = make("Marxer"), make("Beck")
    made = joining.merge(session, scope(ada), eva.id, twin.id, {})
    [row] = bin_queries.page(session, scope(ada)).rows
    assert (row.entity, row.title, row.who) == ("contact_merge", "Beck → Marxer", ada.name)
    made.merged_at = clock.now() - timedelta(days=31)
    session.flush()
    with pytest.raises(UndoTooLate):
        joining.undo(session, scope(ada), made.id)
    made.merged_at = clock.now()
    session.flush()
    recycling.restore(session, scope(ada), "contact_merge", made.id)
    assert session.get_one(Contact, twin.id).merged_into is None


def test_the_page_compares_and_merges(admin_client: Any, session: Any, make_account: Any, make: Any) -> None:
    shared = make_account("Amann")
    eva = make("Marxer", {shared: {}}, mails=["eva@example.li"], title="Buyer")
    twin = make("Marxer", {shared: {}}, mails=["eva@example.li"], title="Head", do_not_contact=True)
    assert f"/contacts/{eva.id}/merge/{twin.id}" in admin_client.get(f"/contacts/{eva.id}").text
    page = admin_client.get(f"/contacts/{eva.id}/merge/{twin.id}").text
    assert "the stricter of both holds" in page
    assert 'name="choose-title"' in page
    assert 'name="choose-refusal"' not in page
    form = {"winner_rev": eva.rev, "loser_rev": twin.rev, "choose-title": "loser"}
    done = admin_client.post(f"/contacts/{eva.id}/merge/{twin.id}", data=form, follow_redirects=False)
    assert done.headers["location"] == f"/contacts/{eva.id}"
    session.refresh(eva)
    assert (eva.title, eva.do_not_contact) == ("Head", True)
    [made] = admin_client.get(f"/api/v1/contacts/{eva.id}/merges").json()["items"]
    assert admin_client.post(f"/api/v1/contact-merges/{made['id']}/undo").json()["kept"] == []
    session.expire_all()
    assert session.get_one(Contact, twin.id).merged_into is None
    assert len(session.scalars(select(ContactAccount).where(ContactAccount.deleted_at.is_(None))).all()) == 2
    session.execute(update(Contact).where(Contact.id == twin.id).values(note="x"))
    stale = admin_client.post(f"/contacts/{eva.id}/merge/{twin.id}", data=form | {"loser_rev": 0})
    assert stale.status_code in (409, 412)
    assert "was changed after you read it" in stale.text
