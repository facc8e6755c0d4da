"""Two leads of the same firm become one: chosen field by field, taken back for 30 days.

The loser keeps its signals and who got it; they are read with the winner's, see `queries.family`.
"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.accounts.pins import PIN_FIELDS
from server.accounts.queries import home_country
from server.auth.access import Scope
from server.jobs import defer
from server.kit.errors import Conflict
from server.leads import queries, service, telling
from server.leads.caring import take_care
from server.leads.models import OPEN, Lead, LeadState
from server.leads.values import ADDRESS, LEAD, LONGEST_TEXT, MOST_NUMBERS, cleaned, phones_e164
from server.records import joining
from server.records.joining import Choice, Fields, Proposal, Side
from server.records.models import RecordMerge
from server.records.revising import require_revision
from server.records.together import both_lists, both_texts

RANK = {LeadState.DISQUALIFIED: 0, LeadState.NEW: 1, LeadState.WORKING: 2, LeadState.QUALIFIED: 3}
"""How far a lead is that has not become an account."""


def further(winner: Lead, loser: Lead) -> Side:
    """Whoever is further on the way to a customer."""
    mine = RANK.get(LeadState(winner.state), 9)
    return "loser" if RANK.get(LeadState(loser.state), 9) > mine else "winner"


def earlier(winner: Lead, loser: Lead) -> Side:
    """Whoever came first: by that door the firm was won."""
    return "loser" if loser.created_at < winner.created_at else "winner"


def stays(winner: Lead, loser: Lead) -> Side:
    """What is the winner's by right; the loser's only where the winner has none."""
    return "winner"


FIELDS = Fields(
    "lead",
    {
        "company": ("company",), "person": ("person",), "number": ("number",), "phones": ("phones",),
        "emails": ("emails",), "website": ("website",), "address": ADDRESS, "owner": ("owner_id",),
        "state": ("state",), "value": ("expected_value", "currency"), "origin": ("source", "campaign"),
        "consent": ("consent_text",), "message": ("message",), "note": ("note",),
    },
    labels={
        "company": "Company", "person": "Person", "number": "Number", "phones": "Phone", "emails": "E-mail",
        "website": "Website", "address": "Address", "owner": "Owner", "state": "State", "value": "Expected a year",
        "origin": "Came from", "consent": "Agreed", "message": "Message", "note": "Note",
    },
    along={
        "phones": ("phones_e164",),
        "address": (*PIN_FIELDS, "territory_id"),
        "owner": ("assigned_at",),
        "state": ("reason", "reason_note", "decided_at"),
        "origin": ("utm", "referrer", "form_id"),
        "consent": ("consented_at",),
    },
    both={
        "phones": both_lists("phones", MOST_NUMBERS), "emails": both_lists("emails", MOST_NUMBERS),
        "message": both_texts("message"), "note": both_texts("note"),
    },
    longest={"message": LONGEST_TEXT, "note": LONGEST_TEXT},
    prefers={"state": further, "origin": earlier, "number": stays, "owner": stays},
    alike={"phones": "phones_e164"},
)  # fmt: skip


def called(lead: Lead) -> str:
    """The lead as people call it."""
    return lead.company or lead.person or ""


def proposed(session: Session, scope: Scope, winner: Lead, loser: Lead) -> list[Proposal]:
    """Each field, whether both sides agree in it, and the side that is proposed."""
    return joining.proposed(session, FIELDS, winner, loser, lambda names: scope.may_change("lead", names))


def merge(
    session: Session,
    scope: Scope,
    winner_id: UUID,
    loser_id: UUID,
    choices: Mapping[str, Choice],
    revs: tuple[int, int] | None = None,
) -> RecordMerge:
    """Let one lead go into another; the same wish twice is one merge.

    Fields that are not chosen are as `proposed`. Refuses leads out of reach, one that went into a third or became an
    account, and a choice made on older revisions.
    """
    reach = queries.visible_to(scope, "leads:write")
    try:
        winner, loser = joining.both(session, reach, Lead, winner_id, loser_id, "lead")
    except joining.AlreadyMerged:
        if (done := joining.latest(session, "lead", winner_id, loser_id)) is None:
            raise
        service.find(session, scope, winner_id)
        return done
    if loser.state == LeadState.CONVERTED:
        raise Conflict(
            f"“{called(loser)}” has become an account.", help="Let the other lead go into this one.", field="loser_id"
        )
    for row, rev in zip((winner, loser), revs or (), strict=False):
        require_revision(row, rev, called=called(row))
    scope.need_changes(
        "lead", [c for name, side in choices.items() if side != "winner" for c in FIELDS.columns.get(name, ())]
    )
    if choices.get("owner") == "loser" and winner.owner_id not in (None, loser.owner_id):
        scope.need("leads:assign")
    wished = {name: choice for name, _, choice in proposed(session, scope, winner, loser)} | dict(choices)
    if winner.state == LeadState.CONVERTED:
        wished |= {"state": "winner"}
    values = joining.chosen_values(FIELDS, winner, loser, wished)
    made = joining.join(session, FIELDS, winner, loser, written(session, winner, values), by=scope.user_id, moved={})
    said(session, scope, winner, f"“{called(loser)}” was merged into this lead.", loser)
    return made


def written(session: Session, winner: Lead, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as a lead holds them: lists that are put together have to fit, numbers are dialled as they say."""
    held = dict(values)
    for name in ("phones", "emails", "message", "note"):
        if held.get(name):
            held[name] = cleaned(LEAD, name, held[name])
    if "phones" in held:
        held["phones_e164"] = phones_e164(held["phones"], service.region_of(winner, lambda: home_country(session)))
    return held


def said(session: Session, scope: Scope, winner: Lead, words: str, loser: Lead) -> None:
    """Write down what came of it, score the winner anew, tell other programs."""
    service.note_ours(session, winner.id, words, scope.user_id)
    for lead in (winner, loser):
        if lead.deleted_at is None and lead.state in OPEN:
            defer(session, take_care, key=f"lead:{lead.id}", lead_id=str(lead.id))
        telling.announce(session, lead)


def undo(session: Session, scope: Scope, merge_id: UUID) -> tuple[RecordMerge, tuple[str, ...]]:
    """Take a merge back; also names what was edited since and stays as it is.

    Refuses after 30 days, where the winner has gone into a third or is deleted, and where the loser's number is taken.
    """
    made = joining.merge_of(session, "lead", merge_id)
    reach = queries.within_reach(scope, "leads:write")
    if made.undone_at is not None:
        service.find(session, scope, made.winner_id)
        return made, ()
    winner, loser = joining.apart(session, made, Lead, reach, "lead")

    def check(lead: Lead) -> None:
        service.check_number(session, lead.number, lead.id)

    kept = joining.part(session, FIELDS, made, winner, loser, by=scope.user_id, check=check)
    said(session, scope, winner, f"“{called(loser)}” stands for itself again.", loser)
    return made, joining.labels_of(FIELDS, kept)
