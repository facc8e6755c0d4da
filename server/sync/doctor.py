"""Questions that a healthy database answers with zero."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.kit import clock
from server.sync.pulling import epochs
from server.sync.pulling.entities import ENTITIES

SILENT = timedelta(days=3)

QUESTIONS = {
    "visit events answered as applied that are missing": """
        select count(*) from sync_receipt r
        where r.status = 'applied' and r.entity = 'visit_event'
          and not exists (select from visit_event v where v.id = r.row_id)""",
    "pin proposals answered as applied that are missing": """
        select count(*) from sync_receipt r
        where r.status = 'applied' and r.entity = 'pin_proposal'
          and not exists (select from pin_proposal p where p.id = r.row_id)""",
    "photos answered as applied that are missing": """
        select count(*) from sync_receipt r
        where r.status = 'applied' and r.entity = 'attachment'
          and not exists (select from attachment a where a.id = r.row_id)
          and r.recorded_at > now() - interval '90 days'""",
    "photos whose phone has been silent for days before their content came": """
        select count(*) from attachment a left join device d on d.id = a.device_id
        where a.file_id is null and a.deleted_at is null and coalesce(d.last_seen_at, a.created_at) < :silent""",
    "answers beyond the last op of their phone": """
        select count(*) from sync_receipt r join device d on d.id = r.device_id where r.n > d.last_n""",
    "phones that are silent and hold unsent work": """
        select count(*) from device d
        where d.state = 'active' and d.last_seen_at < :silent and (d.pending ->> 'ops')::int > 0
          and not exists (select from device n where n.id = d.replaced_by and n.last_seen_at > d.last_seen_at)""",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    question: str
    count: int


def examine(session: Session) -> list[Finding]:
    """Look for what should not be: rows in wrong buckets, orphans, stamps in the future, lost effects."""
    findings = [Finding("stamps in the future", int(epochs.stamps_are_ahead(session)))]
    for name, wrong in epochs.misplaced(session).items():
        findings.append(Finding(f"{name}: rows in wrong buckets", len(wrong)))
    for entity in ENTITIES:
        orphans: Any = session.execute(
            text(
                f"select count(*) from sync_item i where i.e = :code and i.op = 'P' and not exists"  # noqa: S608 our constants
                f" (select from {entity.table} r where r.id = i.id)"
            ),
            {"code": entity.code},
        ).scalar_one()
        findings.append(Finding(f"{entity.name}: items without a row", orphans))
    for question, statement in QUESTIONS.items():
        values = {"silent": clock.now() - SILENT} if ":silent" in statement else {}
        findings.append(Finding(question, session.execute(text(statement), values).scalar_one()))
    return findings
