"""One change to many deals: each by the same rules as alone, and what is refused is named."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.kit.errors import WaymarkError
from server.opportunities import moving, service


@dataclass
class Bulk:
    """What came of a change to many deals."""

    changed: int = 0
    refused: list[tuple[UUID, WaymarkError]] = field(default_factory=list)


def change(
    session: Session, scope: Scope, deals: Mapping[UUID, int], fields: Mapping[str, Any], stage_id: UUID | None = None
) -> Bulk:
    """Change or move many deals, each seen at its revision; one that is refused leaves the others be."""
    done = Bulk()
    for deal_id, rev in deals.items():
        try:
            with session.begin_nested():
                if stage_id is None:
                    service.edit(session, scope, deal_id, rev, fields)
                else:
                    moving.move(session, scope, deal_id, stage_id, rev, fields)
                done.changed += 1
        except WaymarkError as error:
            done.refused.append((deal_id, error))
    return done
