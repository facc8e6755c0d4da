"""What the importer needs to know of calls, meetings, tasks and mails, and of notes."""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.accounts.importing.links import (
    ACCOUNT_TITLES,
    IDENTITY,
    PERSON,
    account_link,
    at_moment,
    on_day,
    one_of,
    spelled,
    yes_or_no,
)
from server.activities.agenda import queries
from server.activities.agenda.models import Activity
from server.activities.importing import sql
from server.activities.notes import queries as notes
from server.activities.notes.models import Note
from server.auth.access import Scope
from server.contacts.importing.links import CONTACT
from server.imports.declared import Declared
from server.imports.statements import BY_ID, WAYMARK_ID, Field, Key
from server.imports.targets import Problem, Severity
from server.records.values import text

KINDS = spelled(
    call="anruf telefonat phone phone_call appel", meeting="termin besprechung besuch appointment event rendez-vous",
    task="aufgabe todo to-do tâche", mail="email e-mail brief letter",
)  # fmt: skip
STATES = spelled(
    open="offen planned geplant not_started",
    done="erledigt completed abgeschlossen held",
    cancelled="abgesagt canceled",
)
PRIORITIES = spelled(low="niedrig tief", normal="mittel medium", high="hoch dringend urgent")
RESULTS = spelled(
    reached="erreicht connected", not_reached="nicht_erreicht no_answer", message_left="nachricht left_message",
    call_back="rückruf callback", interested="interessiert", not_interested="kein_interesse", held="gehalten",
    no_show="nicht_erschienen",
)  # fmt: skip
DIRECTIONS = spelled(out="outbound ausgehend outgoing", **{"in": "inbound eingehend incoming"})


def moment(name: str, label: str, titles: str, **more: Any) -> Field:
    """A moment."""
    return Field(name, label, titles, "timestamptz", at_moment, **more)


def needed(limit: int) -> Callable[[str], str | None]:
    """Text of limited length, with its lines."""
    return text(limit, lines=True)


class ActivityTarget(Declared):
    """Calls, meetings, tasks and mails for the importer."""

    kind = "activities"
    object = "activity"
    table = "activity"
    permission = "activities:write"
    label = "t.subject"
    fields: ClassVar[tuple[Field, ...]] = (
        IDENTITY,
        Field("reference", "Reference", "activityid taskid eventid externalid referenz id nummer",
              clean=text(200), is_unique=True),
        Field("kind", "Kind", "type typ art activitytype aktivität", clean=one_of(KINDS), is_needed=True),
        Field("subject", "Subject", "betreff title titel name thema", clean=text(300), is_needed=True),
        Field("account", "Account", ACCOUNT_TITLES, "uuid", value="account_id", link=account_link("activities:write")),
        Field("contact", "Contact", "kontakt ansprechpartner", "uuid", value="contact_id", link=CONTACT),
        Field("owner", "Owner", "user benutzer besitzer by von assignedto", "uuid", value="owner_id", link=PERSON,
              default="cast(:actor as uuid)"),
        moment("starts_at", "Start", "start date datum beginn when wann startdate"),
        moment("ends_at", "End", "end ende bis enddate", default=sql.ENDS),
        Field("due_on", "Due", "due duedate fällig fälligam deadline", "date", on_day),
        Field("state", "State", "status zustand", clean=one_of(STATES), default=sql.STATE),
        moment("done_at", "Done on", "completed completedat erledigtam", is_stored=False, present=sql.DONE_AT),
        Field("priority", "Priority", "priorität prio", clean=one_of(PRIORITIES), default="'normal'"),
        Field("outcome", "Result", "ergebnis result resultat", clean=one_of(RESULTS)),
        Field("direction", "Direction", "richtung", clean=one_of(DIRECTIONS)),
        Field("place", "Place", "location ort", clean=text(500)),
        Field("note", "Note", "notes notiz notizen description beschreibung body text", clean=needed(100_000)),
    )  # fmt: skip
    keys_by_name: ClassVar = {
        WAYMARK_ID: BY_ID,
        "reference": Key("Reference", "c.values ->> 'reference'", "t.reference = k.key"),
        "moment": Key("Account, kind, moment and subject", sql.AT_ACCOUNT_KEY, sql.AT_ACCOUNT),
        "alone": Key("Without account: kind, moment and subject", sql.ALONE_KEY, sql.ALONE),
    }
    made: ClassVar = sql.MADE
    filled = ("at", "done_at")
    groups = (frozenset({"starts_at", "ends_at", "due_on", "at"}), frozenset({"state", "done_at"}))
    more = sql.FOLLOW

    def refused_sql(self) -> str:
        """Also meetings without a time, and activities of nobody."""
        return super().refused_sql() + " union all " + sql.REFUSED

    def within_reach(self, scope: Scope) -> Select[UUID]:
        """What somebody may change."""
        return queries.visible_to(scope, self.permission).with_only_columns(Activity.id)

    def complete(self, values: dict[str, Any], problems: list[Problem], around: Any) -> None:
        """It does not end before it begins."""
        first, last = values.get("starts_at"), values.get("ends_at")
        if last and (first is None or last < first):
            what = "it has no start" if first is None else "it lies before the start"
            problems.append(Problem(Severity.WARNING, "ends_at", "times", f"End: {what}; left out."))
            del values["ends_at"]


class NoteTarget(Declared):
    """Notes for the importer."""

    kind = "notes"
    object = "note"
    table = "note"
    permission = "activities:write"
    label = "left(t.text, 80)"
    fields: ClassVar[tuple[Field, ...]] = (
        IDENTITY,
        Field("reference", "Reference", "noteid externalid referenz id nummer", clean=text(200), is_unique=True),
        Field("account", "Account", ACCOUNT_TITLES, "uuid", value="account_id", link=account_link("activities:write"),
              is_needed=True),
        Field("text", "Text", "note notiz body inhalt content kommentar comment", clean=needed(20_000), is_needed=True),
        Field("author", "By", "author autor user benutzer von verfasser owner", "uuid", value="author_id", link=PERSON,
              default="cast(:actor as uuid)"),
        moment("written_at", "Written on", "date datum created createdat erstellt written when", default=":now"),
        Field("contact", "Contact", "kontakt ansprechpartner", "uuid", value="contact_id", link=CONTACT),
        Field("is_pinned", "Pinned", "pinned angeheftet", "bool", yes_or_no, default="false"),
        Field("is_shareable", "The customer may read it", "shareable teilbar öffentlich public", "bool", yes_or_no,
              default="false"),
    )  # fmt: skip
    keys_by_name: ClassVar = {
        WAYMARK_ID: BY_ID,
        "reference": Key("Reference", "c.values ->> 'reference'", "t.reference = k.key"),
        "text": Key("Account and text", sql.TEXT_KEY, sql.TEXT),
    }

    def within_reach(self, scope: Scope) -> Select[UUID]:
        """The notes that somebody may change."""
        return notes.visible_to(scope, self.permission).with_only_columns(Note.id)


def target(session: Session) -> ActivityTarget:
    """Calls, meetings, tasks and mails."""
    del session
    return ActivityTarget()


def note_target(session: Session) -> NoteTarget:
    """Notes."""
    del session
    return NoteTarget()
