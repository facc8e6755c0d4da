"""Telling people and programs about leads."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from server.leads.models import Lead
from server.webhooks import service as webhooks


def tell(session: Session, lead: Lead, steps: Sequence[dict[str, Any]]) -> None:
    """Tell whoever got a lead."""
    del steps
    announce(session, lead)


def announce(session: Session, lead: Lead) -> None:
    """Tell other programs that a lead is new or has changed."""
    session.flush()
    session.refresh(lead, ["rev"])
    webhooks.announce(session, "lead", str(lead.id), str(lead.rev))
