"""Two contacts that are the same person become one: chosen field by field, taken back for 30 days.

The loser's consents, mails, files and visits are read with the winner's, see `queries.family`. Where it was at accounts
is written to the winner too, with the roles of both; of two answers about being reached the stricter holds.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.contacts import consent, queries
from server.contacts.consent import Said
from server.contacts.models import Channel, Consent, ConsentState, Contact, ContactAccount, How, Purpose
from server.contacts.service import complete, tell
from server.contacts.values import MOST
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.ids import uuid7
from server.records import joining
from server.records.joining import Choice, Fields, Proposal, Side, stored, wire
from server.records.models import RecordMerge
from server.records.revising import require_revision
from server.records.together import both_lists, both_own, both_texts, named

LONGEST_NOTE = 20_000


def stricter(winner: Contact, loser: Contact) -> Side:
    """Whoever asked not to be contacted."""
    return "loser" if loser.do_not_contact and not winner.do_not_contact else "winner"


def stays(winner: Contact, loser: Contact) -> Side:
    """What is the winner's by right; the loser's only where the winner has none."""
    return "winner"


FIELDS = Fields(
    "contact",
    {
        "name": ("prefix", "first_name", "last_name"), "title": ("title",), "phones": ("phones",), "mails": ("mails",),
        "languages": ("languages",), "birthday": ("birthday",), "refusal": ("do_not_contact", "do_not_contact_reason"),
        "owner": ("owner_id",), "custom": ("custom",), "note": ("note",),
    },
    labels={
        "name": "Name", "title": "Function", "phones": "Phone", "mails": "E-mail", "languages": "Languages",
        "birthday": "Birthday", "refusal": "Do not contact", "owner": "Owner", "custom": "Own fields", "note": "Note",
    },
    along={"phones": ("phone_numbers",), "mails": ("mail_addresses",)},
    both={
        "phones": both_lists("phones", MOST), "mails": both_lists("mails", MOST),
        "languages": both_lists("languages"), "custom": both_own, "note": both_texts("note"),
    },
    longest={"note": LONGEST_NOTE},
    prefers={"refusal": stricter, "owner": stays},
    by_rule=frozenset({"refusal"}),
    hides=False,
)  # fmt: skip


def proposed(session: Session, scope: Scope, winner: Contact, loser: Contact) -> list[Proposal]:
    """Each field, whether both sides agree in it, and the side that is proposed."""

    def may_change(columns: Iterable[str]) -> bool:
        return scope.may_change("contact", named(columns, winner, loser))

    return joining.proposed(session, FIELDS, winner, loser, may_change)


def merge(
    session: Session,
    scope: Scope,
    winner_id: UUID,
    loser_id: UUID,
    choices: Mapping[str, Choice],
    revs: tuple[int, int] | None = None,
) -> RecordMerge:
    """Let one contact go into another; the same wish twice is one merge.

    Fields that are not chosen are as `proposed`. Refuses contacts out of reach, one that went into a third, a choice
    made on older revisions, and one about who must not be contacted: there the stricter holds.
    """
    reach = queries.visible_to(scope, "contacts:write")
    try:
        winner, loser = joining.both(session, reach, Contact, winner_id, loser_id, "contact")
    except joining.AlreadyMerged:
        if (done := joining.latest(session, "contact", winner_id, loser_id)) is None:
            raise
        queries.find(session, scope, winner_id, "contacts:write")
        return done
    for row, rev in zip((winner, loser), revs or (), strict=False):
        require_revision(row, rev, called=row.name)
    if FIELDS.by_rule & set(choices):
        raise Invalid(
            "Whether somebody may be contacted is not chosen: the stricter of both holds.",
            help="Leave it out; change it afterwards where it is wrong.",
            field="refusal",
        )
    wished = [column for name, side in choices.items() if side != "winner" for column in FIELDS.columns.get(name, ())]
    scope.need_changes("contact", named(wished, winner, loser))
    together = {name: choice for name, _, choice in proposed(session, scope, winner, loser)} | dict(choices)
    values = joining.chosen_values(FIELDS, winner, loser, together)
    agreed = disputed(session, winner, loser)
    made = joining.join(session, FIELDS, winner, loser, values, by=scope.user_id, moved={})
    finish(session, winner)
    for said in agreed:
        repeat(session, winner, said, ConsentState.WITHDRAWN, f"{winner.name} + {loser.name}", scope.user_id)
    moved = {
        "roles": share_roles(session, winner.id, loser.id),
        "places": take_places(session, winner.id, loser.id),
        "consents": [str(said.id) for said in agreed],
    }
    made.moved = made.moved | {name: what for name, what in moved.items() if what}
    session.flush()
    for row in (winner, loser):
        tell(session, row)
    return made


def finish(session: Session, contact: Contact) -> None:
    """What follows from a contact's fields follows from those that it has now."""
    complete(session, contact)
    session.flush()
    session.refresh(contact)


def places(contact_id: UUID) -> Any:
    """Where a person is."""
    return select(ContactAccount).where(ContactAccount.contact_id == contact_id, ContactAccount.deleted_at.is_(None))


def take_places(session: Session, winner_id: UUID, loser_id: UUID) -> list[str]:
    """Give the winner the places that only the loser has; returns what was made."""
    there = set(session.scalars(places(winner_id).with_only_columns(ContactAccount.account_id)))
    made = []
    for one in session.scalars(places(loser_id)).all():
        if one.account_id in there:
            continue
        place = ContactAccount(
            id=uuid7(), contact_id=winner_id, account_id=one.account_id, site_id=one.site_id, roles=one.roles,
            since=one.since, until=one.until, is_primary=one.is_primary,
        )  # fmt: skip
        one.is_primary = False
        session.flush()
        session.add(place)
        session.flush()
        made.append(str(place.id))
    return made


def share_roles(session: Session, winner_id: UUID, loser_id: UUID) -> list[dict[str, Any]]:
    """Where both are, the winner is what both were; returns each place with its roles, and who was asked first."""
    theirs = {one.account_id: one for one in session.scalars(places(loser_id))}
    changed = []
    for one in session.scalars(places(winner_id)).all():
        other = theirs.get(one.account_id)
        if other is None:
            continue
        roles, first = list(dict.fromkeys([*one.roles, *other.roles])), other.is_primary
        until = max(one.until, other.until) if one.until and other.until else None
        if roles == list(one.roles) and not first and until == one.until:
            continue
        untils = {"until_before": wire(one.until), "until_after": wire(until)}
        changed.append({"id": str(one.id), "before": list(one.roles), "after": roles, "is_first": first} | untils)
        other.is_primary = False
        session.flush()
        one.roles, one.is_primary, one.until = roles, one.is_primary or first, until
        session.flush()
    return changed


def disputed(session: Session, winner: Contact, loser: Contact) -> list[Consent]:
    """The agreements of one that are later than the other's withdrawal of the same."""
    mine, theirs = consent.states_of(session, winner.id), consent.states_of(session, loser.id)
    found = []
    for key in mine.keys() & theirs.keys():
        earlier, later = sorted((mine[key], theirs[key]), key=lambda one: (one.at, one.recorded_at))
        if (earlier.state, later.state) == (ConsentState.WITHDRAWN, ConsentState.GIVEN):
            found.append(later)
    return found


def repeat(session: Session, contact: Contact, said: Consent, state: ConsentState, note: str, by: UUID | None) -> None:
    """Write down what holds as of a moment that is in the log, so that whatever is said later counts."""
    again = Said(Channel(said.channel), Purpose(said.purpose), state, How.MERGE, said.at, note=note)
    consent.note_consent(session, contact, again, by=by)


def undo(session: Session, scope: Scope, merge_id: UUID) -> tuple[RecordMerge, tuple[str, ...]]:
    """Take a merge back; also names what was edited since and stays as it is.

    Refuses after 30 days, and where the winner has gone into a third or is deleted.
    """
    made = joining.merge_of(session, "contact", merge_id)
    if made.undone_at is not None:
        queries.find(session, scope, made.winner_id, "contacts:write")
        return made, ()
    winner, loser = joining.apart(session, made, Contact, queries.within_reach(scope, "contacts:write"), "contact")
    kept = joining.part(session, FIELDS, made, winner, loser, by=scope.user_id, check=lambda _row: None)
    finish(session, winner)
    give_places_back(session, made, loser)
    own = set(session.scalars(queries.family(winner.id)))
    for said in session.scalars(select(Consent).where(Consent.id.in_(made.moved.get("consents", ())))).all():
        if said.contact_id in own:
            repeat(session, winner, said, ConsentState.GIVEN, f"{winner.name} | {loser.name}", scope.user_id)
    for row in (winner, loser):
        tell(session, row)
    return made, joining.labels_of(FIELDS, kept)


def give_places_back(session: Session, made: RecordMerge, loser: Contact) -> None:
    """Take the winner off the places that it got, and give it the roles it had; the loser is asked first again."""
    given: dict[str, Any] = dict.fromkeys(made.moved.get("places", ()))
    given |= {one["id"]: one for one in made.moved.get("roles", ())}
    for key, roles in given.items():
        held = session.get(ContactAccount, UUID(key))
        if held is None or held.deleted_at is not None:
            continue
        gave_first = held.is_primary and (roles is None or roles["is_first"])
        if roles is None:
            held.deleted_at = clock.now()
        else:
            if list(held.roles) == roles["after"]:
                held.roles = roles["before"]
            if wire(held.until) == roles["until_after"]:
                held.until = stored(ContactAccount, "until", roles["until_before"])
        if gave_first:
            held.is_primary = False
        session.flush()
        theirs = session.scalars(places(loser.id).where(ContactAccount.account_id == held.account_id)).one_or_none()
        if gave_first and theirs is not None:
            theirs.is_primary = True
        session.flush()
