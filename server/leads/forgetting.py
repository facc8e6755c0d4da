"""Pins of leads whose provider lets nobody keep them any longer."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts.pins import BY_PEOPLE
from server.geocoding import remote
from server.geocoding.forgetting import blunt_history
from server.leads import placing
from server.leads.models import Lead


def give_pins_back(session: Session) -> None:
    """Place those leads anew by our own index, decided and deleted ones too, and forget the copies in the history."""
    for key in remote.LIMITED:
        borrowed = Lead.provider == key, func.coalesce(Lead.grade, "").not_in(BY_PEOPLE)
        leads = list(session.scalars(select(Lead).where(*borrowed).order_by(Lead.id)))
        gone = remote.outlived(session, key, [placing.query_of(lead) for lead in leads])
        leads = [lead for lead in leads if placing.query_of(lead) in gone]
        for lead in leads:
            placing.reset_pin(lead)
        session.flush()
        placing.locate(session, leads)
        placing.align(session, [lead.id for lead in leads])
        blunt_history(session, "lead", key)
    session.expire_all()
