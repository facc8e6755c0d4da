"""What the importer needs to know of tickets: columns, queues by name, their first message, their clock."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from server.accounts.importing.links import (
    ACCOUNT_TITLES,
    IDENTITY,
    PERSON,
    account_link,
    at_moment,
    one_of,
    own_fields,
    spelled,
)
from server.auth.access import Scope
from server.contacts.importing.links import CONTACT
from server.imports.declared import Declared, ids_by_cell
from server.imports.models import ImportRun
from server.imports.statements import BY_ID, WAYMARK_ID, Field, Key, Link
from server.imports.targets import Problem, Severity
from server.kit import clock
from server.kit.errors import Invalid
from server.tickets import queries, timing
from server.tickets.importing import sql
from server.tickets.models import RUNNING, Queue, Ticket
from server.tickets.values import LONGEST_BODY, TICKET

STATES = spelled(
    new="neu", open="offen active in_progress in_bearbeitung", waiting_customer="waiting pending on_hold wartet",
    waiting_us="wartet_auf_uns", solved="gelöst resolved erledigt done", closed="geschlossen",
)  # fmt: skip
PRIORITIES = spelled(
    low="niedrig tief gering", normal="mittel medium", high="hoch", urgent="dringend critical kritisch"
)


def queues(session: Session, _scope: Scope | None, cells: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    """Queues by name."""
    return ids_by_cell(session, sql.QUEUES, cells)


QUEUE = Link("queue", "queues", "another name", queues, "Write a queue as it is called in Tickets.", is_shared=True)


def rule(name: str) -> Any:
    """The rule of forms."""
    return lambda cell: TICKET[name].clean(cell.replace(";", ",") if name == "tags" else cell)


def whole(cell: str) -> int:
    """A ticket's number, with or without #."""
    digits = cell.strip().removeprefix("#")
    if not digits.isdigit() or len(digits) > 15:
        raise Invalid(f"“{cell[:40]}” is no number of a ticket", help="Other numbers belong into “Reference”.")
    return int(digits)


def body(cell: str) -> str:
    """What was asked."""
    written = cell.strip()
    if len(written) > LONGEST_BODY:
        raise Invalid(f"{len(written):,} characters are too many", help=f"At most {LONGEST_BODY:,} fit.")
    return written


class TicketTarget(Declared):
    """Tickets for the importer."""

    kind = "tickets"
    object = "ticket"
    table = "ticket"
    permission = "tickets:write"
    label = "t.subject"
    has_own = True
    fields: ClassVar[tuple[Field, ...]] = (
        IDENTITY,
        Field("number", "Number", "nummer", "bigint", whole, is_strict=True, is_stored=False),
        Field("reference", "Reference", "ticketno ticketid ticketnummer caseid casenumber externalid referenz key",
              value="key", clean=rule("requester_name"), is_unique=True),
        Field("subject", "Subject", "betreff title titel summary thema", is_needed=True, clean=rule("subject")),
        Field("body", "Text", "description beschreibung message nachricht question anfrage", clean=body,
              is_stored=False, present="o.values -> 'body'"),
        Field("queue", "Queue", "warteschlange group gruppe team", "uuid", value="queue_id", link=QUEUE,
              default=sql.FIRST_QUEUE),
        Field("state", "State", "status zustand", clean=one_of(STATES), default=sql.STATE),
        Field("priority", "Priority", "priorität prio", clean=one_of(PRIORITIES), default="'normal'"),
        Field("account", "Account", ACCOUNT_TITLES,
              "uuid", value="account_id", link=account_link("tickets:write")),
        Field("contact", "Contact", "kontakt ansprechpartner", "uuid", value="contact_id", link=CONTACT),
        Field("assignee", "Assignee", "owner agent bearbeiter zuständig", "uuid", value="assignee_id", link=PERSON),
        Field("requester_name", "Name", "requester anfragender name kunde_name", clean=rule("requester_name")),
        Field("requester_email", "E-mail", "email mail requesteremail absender", clean=rule("requester_email")),
        Field("requester_phone", "Phone", "telefon phone tel", clean=rule("requester_phone")),
        Field("tags", "Tags", "labels schlagworte stichworte", "text[]", rule("tags")),
        Field("opened_at", "Opened", "created createdat erstellt eröffnet opened date datum", "timestamptz", at_moment,
              default=":now"),
        Field("answered_at", "First answer", "answered firstresponse beantwortet", "timestamptz", at_moment),
        Field("solved_at", "Solved on", "solved resolved closedat gelöstam erledigtam", "timestamptz", at_moment),
    )  # fmt: skip
    keys_by_name: ClassVar = {
        WAYMARK_ID: BY_ID,
        "number": Key("Number", "c.values ->> 'number'", "t.number = k.key::bigint"),
        "reference": Key("Reference", "c.values ->> 'key'", "t.key = k.key"),
        "subject": Key("Subject, account and day", sql.SUBJECT_KEY, sql.SUBJECT),
    }
    made: ClassVar = sql.MADE
    first = sql.FIRST
    more = sql.FOLLOW

    def refused_sql(self) -> str:
        """Also new tickets with a number of their own, and a company without queues."""
        return super().refused_sql() + " union all " + sql.REFUSED

    def within_reach(self, scope: Scope) -> Select[UUID]:
        """The tickets that somebody may change."""
        return select(Ticket.id).where(queries.within_reach(scope, self.permission))

    def complete(self, values: dict[str, Any], problems: list[Problem], around: Any) -> None:
        """A ticket is not solved before it was opened."""
        opened, solved = values.get("opened_at"), values.get("solved_at")
        if opened and solved and solved < opened:
            problems.append(Problem(Severity.ERROR, "solved_at", "times", "Solved on: lies before it was opened."))

    def follow(self, session: Session, run: ImportRun) -> None:
        """The clock of those that are still open runs from now on."""
        hours: dict[UUID, tuple[Queue, Any]] = {}
        ids = session.scalars(text(sql.TOUCHED), {"run": run.id}).all()
        for start in range(0, len(ids), 500):
            chunk = select(Ticket).where(Ticket.id.in_(ids[start : start + 500]))
            for ticket in session.scalars(chunk).all():
                if ticket.state in RUNNING or ticket.clock_since is not None:
                    if ticket.queue_id not in hours:
                        queue = session.get_one(Queue, ticket.queue_id)
                        hours[ticket.queue_id] = (queue, timing.hours_of(session, queue))
                    queue, open_hours = hours[ticket.queue_id]
                    timing.turn(session, ticket, queue, clock.now(), open_hours)


def target(session: Session) -> TicketTarget:
    """Tickets with the fields that the company has added."""
    return TicketTarget(own_fields(session, "ticket"))
