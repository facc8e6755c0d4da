"""Two leads of one firm become one: nothing of either is lost, and for 30 days it is taken back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.kit import clock
from server.kit.errors import Conflict
from server.leads import joining, queries, service
from server.leads.models import Lead, LeadState, SignalKind
from server.leads.resembling import like_leads
from server.records.joining import AlreadyMerged, UndoTooLate
from server.records.models import RecordMerge
from server.recycling import queries as bin_queries
from server.recycling import service as recycling
from tests.server.leads.conftest import EAST, WEST


def test_a_merge_puts_both_together_and_its_undo_takes_them_apart(
    session: Any, scope: Any, ada: Any, rita: Any, make_lead: Any
) -> None:
    form = make_lead("Beck AG", WEST, number="L-1", emails=["a@beck.li"], message="Call me")
    sheet = make_lead("Becker Handel", EAST, number="L-2", emails=["b@beck.li"], message="From the fair", person="Eva")
    service.work(session, scope(ada), sheet.id, LeadState.QUALIFIED)
    service.add_signal(session, sheet.id, SignalKind.CALL, "They want an offer")
    made = joining.merge(session, scope(ada), form.id, sheet.id, {"number": "loser"})
    assert joining.merge(session, scope(ada), form.id, sheet.id, {}).id == made.id
    session.refresh(form)
    assert (form.company, form.person, form.number, form.state) == ("Beck AG", "Eva", "L-2", "qualified")
    assert form.emails == ["a@beck.li", "b@beck.li"]
    assert form.message == "Call me\n\nFrom the fair"
    bodies = [one.signal.body for one in queries.signals_of(session, form.id)]
    assert bodies[0] == "“Becker Handel” was merged into this lead."
    assert "They want an offer" in bodies
    assert queries.find(session, scope(ada), sheet.id).id == form.id
    assert [one.id for one in session.scalars(queries.visible_to(scope(ada)))] == [form.id]

    assert joining.undo(session, scope(ada), made.id)[1] == ()
    session.refresh(form)
    session.refresh(sheet)
    assert (form.person, form.number, form.state, form.emails) == (None, "L-1", "new", ["a@beck.li"])
    assert (sheet.number, sheet.merged_into, sheet.deleted_at) == ("L-2", None, None)
    assert queries.find(session, scope(ada), sheet.id).id == sheet.id


def test_what_was_edited_since_stays_and_is_named(session: Any, scope: Any, ada: Any, make_lead: Any) -> None:
    one, other = make_lead("Beck AG", WEST), make_lead("Zech AG", EAST, person="Eva", phones=["+423 237 00 00"])
    made = joining.merge(session, scope(ada), one.id, other.id, {"address": "loser"})
    session.refresh(one)
    assert one.pin.desc == other.pin.desc
    service.write(session, scope(ada), one, {"person": "Eva Beck"})
    assert joining.undo(session, scope(ada), made.id)[1] == ("Person",)
    session.refresh(one)
    assert (one.person, one.phones) == ("Eva Beck", [])
    assert one.pin.desc != other.pin.desc
    made = joining.merge(session, scope(ada), one.id, other.id, {"address": "loser"})
    session.refresh(one)
    service.write(session, scope(ada), one, {"street": "Weg 5a"})
    assert "Address" in joining.undo(session, scope(ada), made.id)[1]
    session.refresh(one)
    assert (one.street, one.pin.desc) == ("Weg 5a", other.pin.desc), "no pin of one address with the street of another"


def test_a_chain_of_merges_ends_at_the_last_and_is_undone_backwards(
    session: Any, scope: Any, ada: Any, make_lead: Any
) -> None:
    first, second, third = make_lead("Beck AG", WEST), make_lead("Zech AG", EAST), make_lead("Ospelt AG")
    early = joining.merge(session, scope(ada), second.id, first.id, {})
    late = joining.merge(session, scope(ada), third.id, second.id, {})
    assert queries.find(session, scope(ada), first.id).id == third.id
    with pytest.raises(AlreadyMerged, match="gone into another one since"):
        joining.undo(session, scope(ada), early.id)
    with pytest.raises(AlreadyMerged):
        joining.merge(session, scope(ada), first.id, third.id, {})
    joining.undo(session, scope(ada), late.id)
    assert queries.find(session, scope(ada), first.id).id == second.id
    joining.undo(session, scope(ada), early.id)
    assert queries.find(session, scope(ada), first.id).id == first.id


def test_what_cannot_be_merged_or_undone_is_refused_in_words(
    session: Any, scope: Any, ada: Any, make_lead: Any
) -> None:
    one, other = make_lead("Beck AG", WEST, number="L-1"), make_lead("Zech AG", EAST, number="L-2")
    made = joining.merge(session, scope(ada), one.id, other.id, {})
    with pytest.raises(Conflict, match="merged into another one"):
        service.restore(session, scope(ada), other.id)
    make_lead("Ospelt AG", number="L-2")
    with pytest.raises(service.NumberTaken, match="L-2"):
        joining.undo(session, scope(ada), made.id)
    session.rollback()


def test_after_30_days_a_merge_stays_and_until_then_it_lies_in_the_bin(
    session: Any, scope: Any, ada: Any, make_lead: Any
) -> None:
    one, other = make_lead("Beck AG", WEST), make_lead("Zech AG", EAST)
    made = joining.merge(session, scope(ada), one.id, other.id, {})
    [row] = bin_queries.page(session, scope(ada)).rows
    assert (row.entity, row.title, row.who) == ("lead_merge", "Zech AG → Beck AG", ada.name)
    made.merged_at = clock.now() - timedelta(days=31)
    session.flush()
    assert bin_queries.page(session, scope(ada)).rows == []
    with pytest.raises(UndoTooLate):
        joining.undo(session, scope(ada), made.id)
    made.merged_at = clock.now()
    session.flush()
    recycling.restore(session, scope(ada), "lead_merge", made.id)
    assert session.get_one(Lead, other.id).merged_into is None


def test_the_last_of_them_takes_the_others_along_when_it_goes_for_good(
    session: Any, scope: Any, ada: Any, make_lead: Any
) -> None:
    one, other = make_lead("Beck AG", WEST), make_lead("Zech AG", EAST)
    joining.merge(session, scope(ada), one.id, other.id, {})
    service.delete(session, scope(ada), one.id)
    session.execute(Lead.__table__.update().values(deleted_at=clock.now() - timedelta(days=400)))
    recycling.purge(session)
    assert list(session.scalars(select(Lead.id))) == []
    assert list(session.scalars(select(RecordMerge.id))) == []


def test_only_who_reaches_both_merges_and_programs_do_it_too(
    client_for: Any, admin_client: Any, rita: Any, otto: Any, make_lead: Any
) -> None:
    mine, theirs = make_lead("Beck AG", WEST), make_lead("Zech AG", EAST)
    path = f"/api/v1/leads/{mine.id}/merge"
    assert client_for(None).post(path, json={"loser_id": str(theirs.id)}).status_code == 401
    assert client_for(rita).post(path, json={"loser_id": str(theirs.id)}).status_code == 404
    assert admin_client.post(path, json={"loser_id": str(mine.id)}).status_code == 422
    stale = {"loser_id": str(theirs.id), "winner_rev": 0, "loser_rev": 0}
    assert admin_client.post(path, json=stale).status_code == 412
    wrong = admin_client.post(path, json={"loser_id": str(theirs.id), "choices": {"colour": "loser"}})
    assert (wrong.status_code, wrong.json()["field"]) == (422, "colour")
    made = admin_client.post(path, json={"loser_id": str(theirs.id), "choices": {"company": "loser"}}).json()
    assert admin_client.get(f"/api/v1/leads/{theirs.id}").json()["company"] == "Zech AG"
    assert [one["id"] for one in admin_client.get(f"/api/v1/leads/{mine.id}/merges").json()["items"]] == [made["id"]]
    refused = client_for(otto).post(f"/api/v1/lead-merges/{made['id']}/undo")
    assert (refused.status_code, refused.json()["detail"]) == (
        403,
        "You reach only one of the two records of this merge.",
    )
    undone = admin_client.post(f"/api/v1/lead-merges/{made['id']}/undo").json()
    assert (undone["kept"], undone["undone_at"] is None) == ([], False)


def test_the_page_shows_both_sides_and_does_what_is_ticked(admin_client: Any, make_lead: Any) -> None:
    one, other = make_lead("Beck AG", WEST, person="Eva"), make_lead("Beck und Co", WEST)
    page = admin_client.get(f"/leads/{one.id}/merge/{other.id}")
    assert "stays" in page.text
    assert "Beck und Co" in page.text
    assert 'name="choose-company" value="winner" checked' in page.text
    sent = {"winner_rev": one.rev, "loser_rev": other.rev, "choose-company": "loser"}
    done = admin_client.post(f"/leads/{one.id}/merge/{other.id}", data=sent, follow_redirects=True)
    assert "Beck und Co" in done.text
    assert "Merged into this one" in done.text
    merge = admin_client.get(f"/api/v1/leads/{one.id}/merges").json()["items"][0]["id"]
    assert admin_client.get(f"/leads/{other.id}", follow_redirects=False).headers["location"] == f"/leads/{one.id}"
    rev = admin_client.get(f"/api/v1/leads/{one.id}").json()["rev"]
    edit = {"json": {"company": "Beck Drei"}, "headers": {"If-Match": f'"{rev}"'}}
    assert admin_client.patch(f"/api/v1/leads/{one.id}", **edit).status_code == 200
    undone = admin_client.post(f"/leads/{one.id}/merges/{merge}/undo", follow_redirects=True)
    assert "Edited since, and kept as it is: Company." in undone.text
    assert admin_client.get(f"/leads/{other.id}").status_code == 200


def test_any_lead_is_found_by_name_or_number_to_be_compared(admin_client: Any, make_lead: Any) -> None:
    one, other = make_lead("Beck AG", WEST), make_lead("Quite Different", EAST, number="L-77")
    assert f"/leads/{one.id}/merge/{other.id}" not in admin_client.get(f"/leads/{one.id}").text
    for words in ("quite", "L-77"):
        assert f"/leads/{one.id}/merge/{other.id}" in admin_client.get(f"/leads/{one.id}?another={words}").text
    assert "within your reach" in admin_client.get(f"/leads/{one.id}?another=nobodyatall").text


def test_the_same_name_alone_is_a_hint_of_low_confidence(session: Any, make_lead: Any, ada: Any, scope: Any) -> None:
    one, other = make_lead("Sonderbar Handel"), make_lead("Sonderbar Handel")
    other.city = None
    [found] = like_leads(session, one)
    assert (found.lead_id, found.why) == (other.id, ("same name, nothing else to compare",))
    assert not found.is_repeat
    assert found.score < 0.3
    one.phones_e164, other.phones_e164 = ["+4232370001"], ["+4232370002"]
    session.flush()
    assert like_leads(session, one) == [], "what speaks against it is known"


def test_what_finds_no_place_is_said_before_and_never_refused_after(
    session: Any, admin_client: Any, make_lead: Any, ada: Any, scope: Any
) -> None:
    phones = [[f"+423 37{side} 00 {n:02}" for n in range(10)] for side in (1, 2)]
    one = make_lead("Beck AG", WEST, phones=phones[0], note="x" * 15_000)
    other = make_lead("Beck und Co", WEST, phones=phones[1], note="y" * 15_000)
    page = admin_client.get(f"/leads/{one.id}/merge/{other.id}").text
    assert f"Not all of them fit: {', '.join(phones[1])} would be left out." in page
    assert "Both texts together are too long" in page
    assert 'name="choose-note" value="both"' not in page
    refused = admin_client.post(
        f"/api/v1/leads/{one.id}/merge", json={"loser_id": str(other.id), "choices": {"note": "both"}}
    )
    assert refused.status_code == 422
    assert "longer than 20,000" in refused.json()["detail"]
    made = joining.merge(session, scope(ada), one.id, other.id, {})
    session.refresh(one)
    assert (one.phones, one.note) == (phones[0], "x" * 15_000)
    joining.undo(session, scope(ada), made.id)
    session.refresh(other)
    assert other.phones == phones[1]


def test_signs_of_joined_leads_count(session: Any, admin_client: Any, make_lead: Any, ada: Any, scope: Any) -> None:
    one, other = make_lead("Beck AG", WEST), make_lead("Beck und Co", WEST)
    for lead in (one, other, other):
        service.add_signal(session, lead.id, SignalKind.CALL, "Called")
    joining.merge(session, scope(ada), one.id, other.id, {})
    shown = len(queries.signals_of(session, one.id))
    assert shown > 3
    found = admin_client.get("/api/v1/leads", params={"filter": f"signals = {shown}"}).json()["items"]
    assert [row["id"] for row in found] == [str(one.id)]
