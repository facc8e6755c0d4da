"""The company of two reps with a territory each, and leads for it."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.leads.caring import care_for
from server.leads.models import Lead, LeadSource
from server.leads.taking import NewLead, take_in
from tests.server.accounts.conftest import ada, admin_client, east, make_account, otto, rita, scope, west

__all__ = ["ada", "admin_client", "east", "make_account", "otto", "rita", "scope", "west"]

WEST, EAST, NOWHERE = (9.2, 47.1), (9.7, 47.1), (3.0, 47.1)

type MakeLead = Callable[..., Lead]


@pytest.fixture
def make_lead(session: Session) -> MakeLead:
    """Take leads in and look after them: `make_lead("Beck AG", at=WEST, emails=["a@beck.li"])`."""

    def make(company: str | None, at: tuple[float, float] | None = None, **more: Any) -> Lead:
        cared, source = more.pop("cared", True), more.pop("source", LeadSource.API)
        new = NewLead({"company": company, **more}, source, at=LonLat(*at) if at else None)
        lead = take_in(session, new).lead
        if cared:
            care_for(session, [lead])
        session.refresh(lead)
        return lead

    return make
