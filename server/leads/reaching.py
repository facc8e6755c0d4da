"""Where leads are, for the filter language."""

from server.accounts.reaching import Spots
from server.leads.models import Lead

PINS = Spots(
    Lead.id,
    Lead.pin,
    Lead.deleted_at.is_(None),
    lambda condition: condition,
    lambda areas: Lead.territory_id.in_(areas),
)
"""A lead has one place of its own."""
