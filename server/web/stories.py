"""The shared story of an account: its timeline page by page, and notes written, changed and taken back."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Form, Query, Request, Response
from markupsafe import Markup, escape
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts import following
from server.accounts import queries as accounts
from server.accounts.opening import Opened, opened
from server.activities.notes import queries as notes
from server.activities.notes import service
from server.activities.notes.mentions import AT
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import PreconditionFailed, WaymarkError
from server.kit.ids import uuid7
from server.kit.paging import Cursor
from server.kit.settings import settings
from server.records.happenings import KINDS
from server.timeline import queries
from server.timeline.entries import Entry
from server.timeline.queries import Wish
from server.timeline.sources import SOURCES
from server.web.forms import Sent, read, several, text
from server.web.own_fields import said_value
from server.web.pages import attempt, language_of, render

router = APIRouter(include_in_schema=False)

ReadAccounts = Annotated[Scope, requires("accounts:read")]
ReadActivities = Annotated[Scope, requires("activities:read")]
WriteActivities = Annotated[Scope, requires("activities:write")]

ROWS = 40
CHIPS: Mapping[str, tuple[str, str]] = {
    "visit": ("Visits", "map-pin-check"),
    "call": ("Calls", "phone"),
    "mail": ("Mails", "mail"),
    "meeting": ("Meetings", "handshake"),
    "task": ("Tasks", "list-todo"),
    "note": ("Notes", "sticky-note"),
    "file": ("Files", "paperclip"),
    "ticket": ("Tickets", "ticket"),
    "order": ("Orders", "shopping-cart"),
    "quote": ("Quotes", "file-text"),
    "stage": ("Deals", "trending-up"),
    "lead": ("Leads", "user-plus"),
    "campaign": ("Campaigns", "megaphone"),
    "handover": ("Hand-overs", "arrow-right-left"),
    "consent": ("Consent", "badge-check"),
    "plan": ("Plans", "route"),
    "edit": ("Edits", "pencil"),
}
"""How each kind is called and drawn."""


def with_mentions(words: str | None) -> Markup:
    """A text in which names after an @ stand out."""
    return Markup(re.sub(AT, r'<b class="mention">@\1</b>', str(escape(words or ""))))  # noqa: S704 (escaped before)


def day_of(entry: Entry, scope: Scope) -> date:
    """The day of an entry where the person works; that of a visit where it takes place."""
    zone = entry.facts.get("zone") if entry.kind == "visit" else None
    return local(entry.at, zone or scope.zone)


def local(at: datetime, zone: str | None) -> date:
    """The day of a moment in a zone."""
    return at.astimezone(ZoneInfo(zone or settings().zone)).date()


def kinds_for(scope: Scope) -> list[str]:
    """The kinds that somebody's timelines can have, in the order of the chips."""
    there = {kind for source in SOURCES if scope.may(source.permission) for kind in source.kinds}
    return [kind for kind in CHIPS if kind in there]


def story(
    session: Session, scope: Scope, account: UUID | Opened, wish: Wish, cursor: str | None = None
) -> dict[str, Any]:
    """What the middle column of an account shows."""
    found = queries.page(session, scope, account, wish, cursor=cursor, limit=ROWS)
    account_id = account if isinstance(account, UUID) else account.account_id
    return {
        "story": found,
        "wish": wish,
        "kinds": kinds_for(scope),
        "chips_of": CHIPS,
        "day_of": lambda entry: day_of(entry, scope),
        "with_mentions": with_mentions,
        "said_value": said_value,
        "more": more_link(account_id, wish, found.next_cursor, found.entries, scope),
    }


def column(session: Session, scope: Scope, at: Opened, wish: Wish | None = None) -> dict[str, Any]:
    """The whole column: pinned notes, an empty note to write, the first page."""
    account_id = at.account_id
    return story(session, scope, at, wish or Wish()) | {
        "pinned": notes.pinned(session, at.family) if scope.may("activities:read") else [],
        "follows": following.is_following(session, scope.user_id, account_id),
        "note_id": uuid7(),
        "note_error": None,
        "note_values": {},
        "may_note": scope.may("activities:write"),
    }


def more_link(account_id: UUID, wish: Wish, cursor: str | None, entries: list[Entry], scope: Scope) -> str | None:
    """Where the next page is."""
    if cursor is None:
        return None
    kept: dict[str, Any] = {"kinds": sorted(wish.kinds), "people": [str(one) for one in wish.people]}
    kept |= {"first": wish.first, "last": wish.last, "q": wish.search, "shareable": wish.shareable or None}
    kept |= {"cursor": cursor, "after": day_of(entries[-1], scope).isoformat() if entries else None}
    return f"/accounts/{account_id}/timeline?" + urlencode({k: v for k, v in kept.items() if v}, doseq=True)


def as_day(written: str) -> date | None:
    """A day of the filter; what is half typed is none yet."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def wished(kinds: list[str], people: str, first: str, last: str, q: str, shareable: bool) -> Wish:
    """What a filter asks for; what makes no sense asks for nothing."""
    who = frozenset({UUID(people)}) if re.fullmatch(r"[0-9a-f-]{36}", people) else frozenset[UUID]()
    return Wish(frozenset(kinds) & set(KINDS), who, as_day(first), as_day(last), shareable, q or None)


def as_filtered(sent: FormData) -> Wish:
    """The filter of the page from which a form comes: a change of a note leaves it as it is."""
    words = {name: text(sent, name) or "" for name in ("people", "first", "last", "q")}
    return wished([str(one) for one in sent.getlist("kinds")], **words, shareable="shareable" in sent)


@router.get("/accounts/{account_id}/timeline")
def show_timeline(
    request: Request,
    account_id: UUID,
    scope: ReadAccounts,
    session: Db,
    kinds: Annotated[list[str], Query()] = [],  # noqa: B006
    people: Annotated[str, Query()] = "",
    first: str = "",
    last: str = "",
    q: Annotated[str, Query(max_length=200)] = "",
    shareable: bool = False,
    cursor: Cursor = None,
    after: str = "",
) -> Response:
    """A fragment: the entries that a filter leaves, or the next page of them."""
    wish = wished(kinds, people, first, last, q, shareable)
    values = story(session, scope, account_id, wish, cursor)
    template = "story/entries.html" if cursor else "story/list.html"
    return render(request, template, scope, account_id=account_id, last_day=as_day(after), **values)


def fresh(request: Request, scope: Scope, session: Session, account_id: UUID, sent: FormData) -> Response:
    """The column after something has changed: an empty note, pinned ones, the latest entries of the same filter."""
    at = opened(session, scope, account_id, queries.PERMISSIONS)
    values = column(session, scope, at, as_filtered(sent))
    return render(request, "story/written.html", scope, account_id=account_id, last_day=None, **values)


@router.post("/accounts/{account_id}/notes")
def write(request: Request, account_id: UUID, scope: WriteActivities, session: Db, sent: Sent) -> Response:
    """Write a note; what is refused keeps its words."""
    words, note_id = text(sent, "text") or "", read(sent, "id", UUID) or uuid7()
    sent_files = [str(one) for one in sent.getlist("file_ids")]
    try:
        with attempt(session):
            new = service.NewNote(
                account_id,
                words,
                is_pinned="is_pinned" in sent,
                is_shareable="is_shareable" in sent,
                file_ids=several(sent, "file_ids", UUID),
                id=note_id,
            )
            service.write(session, scope, new)
    except WaymarkError as error:
        kept = {"text": words, "files": sent_files} | {name: name in sent for name in ("is_shareable", "is_pinned")}
        more = {"note_error": error, "note_values": kept, "note_id": note_id, "account_id": account_id}
        return render(request, "story/composer.html", scope, status=int(error.status), **more)
    return fresh(request, scope, session, account_id, sent)


@router.get("/notes/{note_id}/edit")
def show_edit(request: Request, note_id: UUID, scope: WriteActivities, session: Db) -> Response:
    """A fragment: the note as a form."""
    return edit_form(request, scope, session, note_id)


def edit_form(
    request: Request, scope: Scope, session: Session, note_id: UUID, error: WaymarkError | None = None, words: str = ""
) -> Response:
    """The form of a note; after a clash with both texts."""
    row = notes.find(session, scope, note_id)
    status = int(error.status) if error else 200
    clash = isinstance(error, PreconditionFailed)
    more = {"row": row, "note_error": error, "words": words, "clash": clash}
    answer = render(request, "story/edit.html", scope, status=status, **more)
    if error:  # the form stays where it is, instead of the empty one that follows a change
        answer.headers["HX-Retarget"], answer.headers["HX-Reswap"] = f"#note-{note_id}", "innerHTML"
    return answer


@router.post("/notes/{note_id}")
def edit(
    request: Request, note_id: UUID, scope: WriteActivities, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Change a note that was seen at a revision."""
    changes: dict[str, Any] = {}
    if "text" in sent:
        changes |= {"text": text(sent, "text") or "", "is_shareable": "is_shareable" in sent}
    if "pin" in sent:
        changes["is_pinned"] = sent["pin"] == "yes"
    try:
        with attempt(session):
            note = service.edit(session, scope, note_id, rev, changes)
    except WaymarkError as error:
        return edit_form(request, scope, session, note_id, error, str(changes.get("text", "")))
    return fresh(request, scope, session, note.account_id, sent)


@router.post("/notes/{note_id}/delete")
def delete(
    request: Request, note_id: UUID, scope: WriteActivities, session: Db, sent: Sent, rev: Annotated[int, Form()]
) -> Response:
    """Take a note away; a note that passes offers to bring it back."""
    note = service.delete(session, scope, note_id, rev)
    answer = fresh(request, scope, session, note.account_id, sent)
    t = language_of(request, scope).t
    offer = {"text": t("The note is deleted."), "label": t("Undo"), "path": f"/notes/{note_id}/restore"}
    answer.headers["HX-Trigger"] = json.dumps({"undoable": offer})
    return answer


@router.post("/notes/{note_id}/restore")
def restore(request: Request, note_id: UUID, scope: WriteActivities, session: Db, sent: Sent) -> Response:
    """Bring a note back."""
    note = service.restore(session, scope, note_id)
    return fresh(request, scope, session, note.account_id, sent)


@router.post("/accounts/{account_id}/follow")
def follow(
    request: Request, account_id: UUID, scope: ReadAccounts, session: Db, wanted: Annotated[bool, Form()]
) -> Response:
    """Be told of what happens at an account, or no more."""
    following.follow(session, scope, account_id, wanted=wanted)
    account_id = accounts.surviving(session, account_id)
    return render(request, "story/follow.html", scope, account_id=account_id, follows=wanted)


@router.get("/notes/{note_id}")
def open_note(note_id: UUID, scope: ReadActivities, session: Db) -> Response:
    """Where a note stands."""
    row = notes.find(session, scope, note_id)
    return Response(status_code=303, headers={"Location": f"/accounts/{row.note.account_id}#note-{note_id}"})
