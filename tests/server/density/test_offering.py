"""Which prospects reach phones: the best of each territory; what is taken goes at once and does not come back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from geoalchemy2.shape import to_shape
from sqlalchemy import event, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Site
from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.density import claiming, offering, service, turning, undoing
from server.density.models import DensityTrade, OfferedProspect
from server.density.turning import Into, Selection
from server.kit.errors import Conflict
from server.leads import service as leads
from server.leads.models import LeadSource
from server.leads.taking import NewLead
from server.regions.models import Prospect, Region
from server.territories import service as territories
from tests.server.density.conftest import EAST, some

type Customer = Callable[..., Site]


@pytest.fixture
def scope(session: Session, rita: User) -> Scope:
    return scope_of(session, rita, source="sync")


def offered(session: Session) -> dict[str, OfferedProspect]:
    standing = select(OfferedProspect).where(OfferedProspect.deleted_at.is_(None))
    return {one.name: one for one in session.scalars(standing.execution_options(populate_existing=True))}


def new_lead(name: str) -> NewLead:
    return NewLead({"company": name, "note": "Wants samples"}, LeadSource.PROSPECT, at=LonLat(-6.2, 46.0))


def test_the_best_of_each_territory_are_offered_and_no_more_than_the_limit(
    session: Session, market: Region, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    territories.create(session, name="East", area=EAST)
    service.refresh(session)
    assert offering.refresh(session)
    everything = offered(session)
    assert everything
    assert all(one.credit and one.kind_words.keys() == {"en", "de"} for one in everything.values())
    monkeypatch.setattr(offering, "MOST", 1)
    offering.pick_again(session)
    assert offering.refresh(session)
    best = list(offered(session).values())
    assert len(best) == len({one.territory_id for one in best}) == len({o.territory_id for o in everything.values()})
    worth = dict(session.execute(select(DensityTrade.kind, DensityTrade.rate * DensityTrade.value)).all())
    for one in best:
        rivals = [worth[o.kind] for o in everything.values() if o.territory_id == one.territory_id]
        assert worth[one.kind] == max(rivals)
    assert {one.rev for one in best} == {1}, "who stays is not sent again"


def test_nothing_is_picked_while_nothing_is_learned_and_a_customer_is_let_go(
    session: Session, market: Region, rita: User
) -> None:
    service.refresh(session)
    assert offering.refresh(session)
    before = offered(session)
    assert not offering.refresh(session)
    (gone, *_), statement = before.values(), "update density_customer set prospect_id = :id"
    session.execute(text(statement), {"id": gone.id})
    assert not offering.refresh(session)
    assert before.keys() - offered(session).keys() == {gone.name}


def test_a_prospect_becomes_one_lead_and_the_second_rep_hears_whose(
    session: Session, market: Region, rita: User, ada: User, scope: Scope
) -> None:
    service.refresh(session)
    offering.refresh(session)
    one = next(iter(offered(session).values()))
    lead = claiming.claim(session, scope, one.id, new_lead("As the phone had it"))
    assert (lead.source, lead.owner_id, lead.campaign) == ("prospect", rita.id, None)
    assert lead.note is not None
    assert lead.note.startswith("Wants samples\nOpen data: ")
    assert one.name not in offered(session)
    again = new_lead(one.name)
    with pytest.raises(Conflict, match="another entry with this id"):
        claiming.claim(session, scope_of(session, ada, source="sync"), one.id, replace(again, id=lead.id))
    with pytest.raises(claiming.ProspectTaken, match="is a lead of Rita already"):
        claiming.claim(session, scope, one.id, new_lead(one.name))
    action = session.execute(text("select id from white_space_action")).scalar_one()
    assert undoing.undo(session, scope, action)["taken_back"] == 1
    assert offering.refresh(session)
    assert one.name in offered(session), "taken back, it is a prospect again"
    assert offered(session)[one.name].rev == 3


def test_what_nobody_could_claim_is_not_offered(session: Session, market: Region, customer: Customer) -> None:
    service.refresh(session)
    offering.refresh(session)
    one = next(iter(offered(session).values()))
    at = to_shape(one.pin)
    customer(one.name, LonLat(at.x, at.y), status="prospect")
    offering.pick_again(session)
    assert offering.refresh(session)
    assert one.name not in offered(session)


def test_a_customer_and_what_no_region_knows_any_more(session: Session, market: Region, scope: Scope) -> None:
    name, _ = some(session, 1)[0]
    prospect_id = session.scalars(select(Prospect.id).order_by(Prospect.id)).first()
    assert prospect_id is not None
    with pytest.raises(claiming.ProspectTaken, match=f"“{name}” is an account already"):
        claiming.claim(session, scope, prospect_id, new_lead(name))
    session.execute(text("delete from prospect"))
    lead = claiming.claim(session, scope, prospect_id, new_lead("Gone from the map"))
    assert (lead.company, lead.note) == ("Gone from the map", "Wants samples")


def test_what_becomes_leads_on_a_page_leaves_the_phones(session: Session, market: Region, ada: User) -> None:
    offering.refresh(session)
    one = next(iter(offered(session).values()))
    turning.turn(session, scope_of(session, ada, source="web"), Into.LEADS, Selection(prospect_ids=[one.id]))
    assert one.name not in offered(session)


def test_what_is_claimed_while_we_pick_is_not_offered(session: Session, market: Region, rita: User) -> None:
    service.refresh(session)
    offering.refresh(session)
    claimed = next(iter(offered(session).values()))
    offering.pick_again(session)

    def claim(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "pg_advisory_xact_lock" in statement:
            cursor.connection.execute("update density_customer set prospect_id = %s", [claimed.id])

    event.listen(session.connection(), "before_cursor_execute", claim)
    assert offering.refresh(session)
    event.remove(session.connection(), "before_cursor_execute", claim)
    assert claimed.name not in offered(session)


def test_a_firm_is_one_lead_although_its_first_was_in_the_bin(session: Session, market: Region, scope: Scope) -> None:
    service.refresh(session)
    offering.refresh(session)
    one, other, *_ = offered(session).values()
    first = claiming.claim(session, scope, one.id, new_lead(one.name))
    with pytest.raises(Conflict, match="another entry with this id"):
        claiming.claim(session, scope, other.id, replace(new_lead("Another firm"), id=first.id))
    leads.delete(session, scope, first.id)
    second = claiming.claim(session, scope, one.id, new_lead(one.name))
    with pytest.raises(leads.NotNow, match="was made a lead once more"):
        leads.restore(session, scope, first.id)
    leads.delete(session, scope, second.id)
    assert leads.restore(session, scope, first.id).deleted_at is None
