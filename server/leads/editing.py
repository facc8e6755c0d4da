"""One edit of a lead, made on some revision of it: merged field by field, whoever sends it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.accounts.editing import Outcome, changed_meanwhile
from server.auth.access import Scope
from server.leads import service
from server.leads.values import LEAD, LEAD_RULES, cleaned, wire
from server.records import queries as records
from server.records.editing import refuse_unknown
from server.records.merging import Current, Delta, Json, merge


def edit(session: Session, scope: Scope, lead_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Outcome:
    """Change fields of a lead that the editor saw at `base_rev`.

    An older revision is merged field by field; where somebody else changed the same field, nothing is applied and both
    values come back.
    """
    lead = service.find(session, scope, lead_id)
    scope.need_changes("lead", changes)
    refuse_unknown(lead.rev, base_rev)
    current: dict[str, Json] = {name: wire(name, getattr(lead, name)) for name in LEAD}
    wanted = {name: wire(name, cleaned(LEAD, name, value)) for name, value in changes.items()}
    seen: Mapping[str, Json] = current
    if base_rev < lead.rev:
        seen = records.values_at(session, "lead", lead.id, base_rev, wanted, current)
    deltas = {name: Delta(old=wire(name, seen[name]), new=value) for name, value in wanted.items()}
    found = merge(Current(current, lead.rev, lead.frev), base_rev, deltas, LEAD_RULES)
    if found.clashes:
        raise changed_meanwhile(lead.company or lead.person or "", lead.rev, found.clashes)
    service.write(session, scope, lead, {name: cleaned(LEAD, name, value) for name, value in found.apply.items()})
    return Outcome(lead.rev, frozenset(found.apply), found.same)
