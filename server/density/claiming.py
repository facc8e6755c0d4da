"""One prospect becomes a lead of the rep who stands before its door: once, whoever else wants it too."""

from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from geo.types import LonLat
from server.accounts.reach import today_of
from server.auth.access import Scope
from server.auth.models import User
from server.density import offering
from server.density.models import WhiteSpaceAction, WhiteSpaceItem
from server.density.open_data import OF_SELECTION, lead_fields
from server.density.turning import Into
from server.kit import clock
from server.kit.errors import Conflict
from server.kit.ids import uuid7
from server.kit.locks import one_at_a_time
from server.leads import taking
from server.leads.models import Lead, SignalKind


class ProspectTaken(Conflict):
    """Somebody else was first."""

    code: ClassVar[str] = "prospect_taken"


def claim(session: Session, scope: Scope, prospect_id: UUID, new: taking.NewLead) -> Lead:
    """Make a lead of a prospect, of what open data knows of it and what the rep wrote; others do not see it on their
    phones any longer. One that no region knows any more is taken as the phone had it.

    Refuses one that is a lead, a customer or another account already, and people who may not see prospects.
    """
    scope.need("leads:write")
    scope.need("density:read")
    # Two reps at the same moment, or a rep and a page.
    one_at_a_time(session, offering.CLAIMS)
    if (known := taking.asked_before(session, new, scope)) is not None:
        its = select(WhiteSpaceItem).where(WhiteSpaceItem.row_id == known.id, WhiteSpaceItem.prospect_id == prospect_id)
        if session.scalar(select(its.exists())):
            return known
        raise taking.another_entry()
    row = session.execute(
        OF_SELECTION[None, False],
        {
            "ids": [prospect_id], "cells": [], "trades": [], "any_kind": True, "most": 1, "everywhere": True,
            "territories": [], "nobodys": True, "today": today_of(scope),
        },
    ).first()  # fmt: skip
    refuse_taken(session, prospect_id, row, str(new.fields.get("company") or ""))
    fields, at = dict(new.fields), new.at
    if row is not None:
        known_fields = lead_fields(row, scope)
        known_fields.pop("campaign", None)
        notes = [one for one in (fields.get("note"), known_fields.get("note")) if one]
        fields = known_fields | {name: value for name, value in fields.items() if value}
        fields["note"], at = "\n".join(notes) or None, LonLat(row.lon, row.lat)
    made = taking.NewLead(fields, new.source, at=at, id=new.id, always=True, signal=SignalKind.MAP)
    lead = taking.take_in(session, made, scope).lead
    action = WhiteSpaceAction(id=uuid7(), kind=Into.LEADS.value, by=scope.user_id, at=clock.now(), counts={"made": 1})
    session.add(action)
    session.flush()
    session.add(WhiteSpaceItem(action_id=action.id, row_id=lead.id, prospect_id=prospect_id))
    session.flush()
    offering.withdraw(session, [prospect_id])
    return lead


_MADE = aliased(Lead)
_LEAD_OF = (
    select(Lead.company, User.name)
    .join(_MADE, Lead.id == func.coalesce(_MADE.merged_into, _MADE.id))
    .join(WhiteSpaceItem, WhiteSpaceItem.row_id == _MADE.id)
)
"""The lead that a prospect became, or the one that this went into."""


def refuse_taken(session: Session, prospect_id: UUID, row: Any, name: str) -> None:
    """Say whose lead a prospect is by now, or that it is in the books otherwise."""
    name, help = (row.name if row is not None else name), "Look for it in the search."
    of = _LEAD_OF.outerjoin(User, User.id == Lead.owner_id).where(
        WhiteSpaceItem.prospect_id == prospect_id, Lead.deleted_at.is_(None)
    )
    lead = session.execute(of.limit(1)).first()
    if lead is not None and lead[1]:
        raise ProspectTaken(f"“{name}” is a lead of {lead[1]} already.", help=help, field="prospect_id")
    if lead is not None or (row is not None and row.is_lead):
        raise ProspectTaken(f"“{name}” is a lead already.", help=help, field="prospect_id")
    if row is not None and (row.is_customer or row.is_account):
        raise ProspectTaken(f"“{name}” is an account already.", help=help, field="prospect_id")
