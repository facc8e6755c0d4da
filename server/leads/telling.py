"""Telling people and programs about leads."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.leads.models import Lead
from server.leads.wording import because
from server.notifications import service as notifications
from server.notifications.kinds import About
from server.webhooks import service as webhooks

TOLD = "The lead “{lead}” is yours. {why}"


def tell(session: Session, lead: Lead, steps: Sequence[dict[str, Any]], *, by: UUID | None = None) -> None:
    """Tell whoever got a lead, and why it is theirs."""
    if lead.owner_id is not None:
        gaps = {"lead": lead.company or lead.person or "", "why": because(steps)}
        about = About("lead", lead.id)
        notifications.notify(session, [lead.owner_id], "lead", TOLD, f"/leads/{lead.id}", about, gaps=gaps, by=by)
    announce(session, lead)


def announce(session: Session, lead: Lead) -> None:
    """Tell other programs that a lead is new or has changed."""
    session.flush()
    session.refresh(lead, ["rev"])
    webhooks.announce(session, "lead", str(lead.id), str(lead.rev))
