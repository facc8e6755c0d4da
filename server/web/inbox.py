"""Mails that nobody could place: to an account, or nobody's; and the mailboxes that are read."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.inbox import service
from server.inbox.models import Fate, InboxMail
from server.jobs import defer
from server.kit.database import Db
from server.kit.errors import Invalid, NotFound, WaymarkError
from server.mail import mailboxes
from server.mail.jobs import receive
from server.mail.receiving import parse
from server.mail.receiving_models import ReceivedMail
from server.web.forms import Sent, number, read, text
from server.web.pages import attempt, go, render

router = APIRouter(include_in_schema=False)

Assign = Annotated[Scope, requires("accounts:assign")]
ReadIntegrations = Annotated[Scope, requires("integrations:read")]
WriteIntegrations = Annotated[Scope, requires("integrations:write")]
SHOWN = 50


@router.get("/inbox")
def show_inbox(request: Request, scope: Assign, session: Db) -> Response:
    """What waits for a person, and what was decided lately."""
    return inbox_page(request, scope, session)


def inbox_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    waits = InboxMail.fate.in_((Fate.UNASSIGNED, Fate.HELD))
    waiting = session.scalars(select(InboxMail).where(waits).order_by(InboxMail.at).limit(SHOWN)).all()
    done = (
        session.execute(
            select(InboxMail, Account.name)
            .outerjoin(Account, Account.id == InboxMail.account_id)
            .where(~waits)
            .order_by(InboxMail.at.desc())
            .limit(SHOWN)
        )
        .tuples()
        .all()
    )
    seen = accounts.seen_of(session, scope, [row.account_id for row, _ in done if row.account_id])
    return render(
        request,
        "inbox/page.html",
        scope,
        status=int(error.status) if error else 200,
        waiting=[(row, letter_of(session, row)) for row in waiting],
        done=[(row, name) for row, name in done if row.account_id is None or row.account_id in seen],
        has_mailbox=bool(mailboxes.every(session)),
        error=error,
    )


def letter_of(session: Session, row: InboxMail) -> Any:
    """The mail itself, read again from its bytes."""
    return parse(session.get_one(ReceivedMail, row.received_id).content)


@router.get("/inbox/accounts")
def choose_account(request: Request, scope: Assign, session: Db, q: str = "", mail: str = "") -> Response:
    """Accounts that resemble what was typed, to file a mail at."""
    rows = accounts.page(session, scope, search=q, limit=8).rows if q.strip() else []
    return render(request, "inbox/choice.html", scope, rows=rows, mail=mail)


@router.post("/inbox/{mail_id}/file")
def file(request: Request, mail_id: UUID, scope: Assign, session: Db, sent: Sent) -> Response:
    """File a mail at an account, and remember whose the address is."""
    try:
        with attempt(session):
            account_id = read(sent, "account_id", UUID)
            if account_id is None:
                raise Invalid("No account is chosen.", help="Type its name and choose it.", field="account_id")
            service.file(session, scope, mail_id, account_id, remember="remember" in sent)
    except WaymarkError as error:
        return inbox_page(request, scope, session, error)
    return go("/inbox")


@router.post("/inbox/{mail_id}/ignore")
def ignore(request: Request, mail_id: UUID, scope: Assign, session: Db, sent: Sent) -> Response:
    """Pass a mail over."""
    try:
        with attempt(session):
            service.ignore(session, scope, mail_id, remember="remember" in sent)
    except WaymarkError as error:
        return inbox_page(request, scope, session, error)
    return go("/inbox")


@router.get("/inbox/{mail_id}/parts/{place}")
def part(mail_id: UUID, place: int, scope: Assign, session: Db) -> Response:
    """A file that came with a mail; never shown by the browser itself."""
    row = session.get(InboxMail, mail_id)
    if row is None:
        raise NotFound("There is no such mail.")
    parts = letter_of(session, row).parts
    if not 0 <= place < len(parts):
        raise NotFound("There is no such file.")
    named = parts[place].name.encode("ascii", "replace").decode().replace('"', "'")
    headers = {"Content-Disposition": f'attachment; filename="{named}"'}
    return Response(parts[place].content, media_type="application/octet-stream", headers=headers)


@router.get("/integrations/mailboxes")
def show_mailboxes(request: Request, scope: ReadIntegrations, session: Db) -> Response:
    """The mailboxes that are read."""
    return mailboxes_page(request, scope, session)


def mailboxes_page(
    request: Request,
    scope: Scope,
    session: Session,
    values: dict[str, Any] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    usual = {"port": 993, "security": "tls", "folder": "INBOX", "purpose": "sales", "afterwards": "seen"}
    return render(
        request,
        "integrations/mailboxes.html",
        scope,
        status=int(error.status) if error else 200,
        mailboxes=mailboxes.every(session),
        values=values or usual,
        error=error,
    )


@router.post("/integrations/mailboxes")
def add_mailbox(request: Request, scope: WriteIntegrations, session: Db, sent: Sent) -> Response:
    """Read a mailbox from now on; it is tried at once."""
    names = ("name", "purpose", "address", "host", "security", "username", "folder", "afterwards")
    values: dict[str, Any] = {name: text(sent, name) or "" for name in names}
    try:
        with attempt(session):
            values["port"] = int(number(sent, "port") or 0)
            wish = mailboxes.Wish(**values, password=text(sent, "password"), takes_old="takes_old" in sent)
            mailbox = mailboxes.set_up(session, wish)
            mailboxes.tried(mailbox)
    except WaymarkError as error:
        return mailboxes_page(request, scope, session, values, error)
    return go("/integrations/mailboxes?saved=1")


@router.post("/integrations/mailboxes/{mailbox_id}/read")
def read_now(mailbox_id: UUID, scope: WriteIntegrations, session: Db) -> Response:
    """Look into a mailbox at once."""
    key = f"mailbox:{mailboxes.find(session, mailbox_id).id}"
    defer(session, receive, key=key, lock=key, mailbox_id=str(mailbox_id))
    return go("/integrations/mailboxes?asked=1")


@router.post("/integrations/mailboxes/{mailbox_id}/remove")
def remove_mailbox(mailbox_id: UUID, scope: WriteIntegrations, session: Db) -> Response:
    """Read a mailbox no more."""
    mailboxes.remove(session, mailbox_id)
    return go("/integrations/mailboxes")
