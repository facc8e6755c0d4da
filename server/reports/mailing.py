"""Reports by mail: who gets which one when, and what they are sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.queries import language
from server.accounts.reaching import Reaching
from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.auth.queries import visible_users
from server.jobs.outgoing import State
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound, WaymarkError
from server.kit.filtering import compile_filter, parse
from server.kit.settings import settings
from server.mail import queries as mails
from server.mail import service as mail
from server.reports import paper
from server.reports.figures import By, report
from server.reports.models import ReportMail
from server.reports.periods import Against, Period, Span, around, spelled

MOST_RECIPIENTS = 50


@dataclass(frozen=True)
class Wish:
    """A report that somebody wants to have mailed."""

    name: str
    recipient_ids: Sequence[UUID]
    span: Span = Span.WEEK
    hour: int = 7
    by: By = By.PERSON
    against: Against = Against.BEFORE
    filter: str = ""


def mine(session: Session, scope: Scope) -> list[ReportMail]:
    """The reports that somebody has mailed, by name."""
    chosen = select(ReportMail).where(ReportMail.owner_id == scope.user_id)
    return list(session.scalars(chosen.order_by(ReportMail.name, ReportMail.id)))


def find(session: Session, scope: Scope, key: UUID) -> ReportMail:
    """One of them; somebody else's is not there."""
    found = session.get(ReportMail, key)
    if found is None or found.owner_id != scope.user_id:
        raise NotFound("There is no such report.")
    return found


def add(session: Session, scope: Scope, wish: Wish) -> ReportMail:
    """Mail a report from now on. Refuses what cannot be, and names the field."""
    row = ReportMail(owner_id=scope.user_id)
    _fill(session, scope, row, wish)
    session.add(row)
    session.flush()
    return row


def change(session: Session, scope: Scope, key: UUID, wish: Wish) -> ReportMail:
    """Change what is mailed, to whom and when."""
    row = find(session, scope, key)
    _fill(session, scope, row, wish)
    session.flush()
    return row


def remove(session: Session, scope: Scope, key: UUID) -> None:
    """Mail it no more."""
    session.delete(find(session, scope, key))
    session.flush()


def addressees(session: Session, scope: Scope) -> list[User]:
    """Whom somebody may have reports mailed to: oneself, and those whom one sees."""
    people = visible_users(scope.user_id, scope.team_ids, scope.level("users:read"))
    return list(session.scalars(people.where(User.active.is_(True))))


def _fill(session: Session, scope: Scope, row: ReportMail, wish: Wish) -> None:
    name = " ".join(wish.name.split())
    if not 1 <= len(name) <= 100:
        raise Invalid("The report has no name.", help="Give it one of at most 100 letters.", field="name")
    if not 0 <= wish.hour <= 23:
        raise Invalid("The hour is 0 to 23.", field="hour")
    ids = list(dict.fromkeys(wish.recipient_ids))
    if not 1 <= len(ids) <= MOST_RECIPIENTS:
        raise Invalid(f"A report goes to 1 to {MOST_RECIPIENTS} people.", help="Choose them.", field="recipient_ids")
    if set(ids) - {one.id for one in addressees(session, scope)}:
        raise Invalid("Somebody chosen is not among your people.", help="Choose again.", field="recipient_ids")
    if wish.filter.strip():
        compile_filter(parse(wish.filter), language(Reaching(session), scope))
    row.name, row.recipient_ids, row.hour, row.filter = name, ids, wish.hour, wish.filter.strip()
    row.span, row.by, row.against = str(wish.span), str(wish.by), str(wish.against)
    row.next_on = around(_today(), wish.span).last + timedelta(days=1)
    row.problems = []


def send_now(session: Session, row: ReportMail, period: Period | None = None) -> int:
    """Put the report of a period into the outbox of everybody who gets it, the last one that has ended unless said.

    Each gets what their own rights show. The same report of the same period is the same mail: nobody gets it twice.
    Who cannot get it is named on the row. Returns how many mails are new on their way.
    """
    ended = period or around(_today(), Span(row.span)).shifted(-1)
    sent, problems, known = 0, [], mails.of_keys(session, list(_keys(row, ended)))
    for user_id in row.recipient_ids:
        user = session.get(User, user_id)
        if _key(row, ended, user_id) in known:
            continue
        if user is None or user.deleted_at is not None or not user.active:
            problems.append(f"{user.name if user else user_id}: works here no more.")
            continue
        if not user.email:
            problems.append(f"{user.name}: no e-mail address is known.")
            continue
        try:
            with session.begin_nested():
                _send(session, row, user, ended)
            sent += 1
        except WaymarkError as error:
            problems.append(f"{user.name}: {error.message} {error.help}".strip())
    row.problems = problems
    row.sent_at = clock.now() if sent else row.sent_at
    session.flush()
    return sent


def send_by_hand(session: Session, row: ReportMail) -> None:
    """Send the report of the last period now. Refuses when everybody has it already."""
    if not send_now(session, row) and not problems(session, row):
        raise Conflict("Everybody has this report already.", help="The next one goes out when its period is over.")


def problems(session: Session, row: ReportMail) -> list[str]:
    """Who did not get the report when it was sent last, and why: also whose mail failed on its way."""
    if row.sent_at is None:
        return row.problems
    keys = _keys(row, around(clock.day_of(row.sent_at, settings().zone), Span(row.span)).shifted(-1))
    failed = {keys[key]: one for key, one in mails.of_keys(session, list(keys)).items() if one.state == State.FAILED}
    people = session.scalars(select(User).where(User.id.in_(failed)).order_by(User.name, User.id))
    return [*row.problems, *(f"{one.name}: the mail was not delivered. {failed[one.id].trouble}" for one in people)]


def _keys(row: ReportMail, period: Period) -> dict[str, UUID]:
    """Whose mail has which key."""
    return {_key(row, period, user_id): user_id for user_id in row.recipient_ids}


def _key(row: ReportMail, period: Period, user_id: UUID) -> str:
    return f"report:{row.id}:{period.first}:{period.last}:{user_id}"


def _send(session: Session, row: ReportMail, user: User, period: Period) -> None:
    scope = scope_of(session, user, source="web")
    scope.need("activities:read")
    found = report(session, scope, period, by=By(row.by), against=Against(row.against), filter=row.filter or None)
    words = paper.WORDS[user.language if user.language in paper.WORDS else "en"]
    named = spelled(period, words["code"])
    sheet = paper.printed(found, words, row.name)
    assert user.email is not None
    mail.queue(
        session,
        key=_key(row, period, user.id),
        purpose="report",
        to=[user.email],
        subject=f"{settings().company}: {row.name}, {named}",
        body=words["letter"].format(name=user.name, report=row.name, period=named) + "\n",
        files=[mail.File(f"{paper.file_name(row.name, period)}.pdf", "application/pdf", sheet)],
    )


def send_due(session: Session) -> int:
    """Send what is due; returns how many reports that were. A report whose period is skipped is sent for the last."""
    now = clock.now().astimezone(ZoneInfo(settings().zone))
    due = select(ReportMail).where(
        (ReportMail.next_on < now.date()) | ((ReportMail.next_on == now.date()) & (ReportMail.hour <= now.hour))
    )
    rows = list(session.scalars(due.order_by(ReportMail.id).with_for_update(skip_locked=True)))
    for row in rows:
        send_now(session, row)
        row.next_on = around(now.date(), Span(row.span)).last + timedelta(days=1)
    session.flush()
    return len(rows)


def _today() -> date:
    return clock.today(settings().zone)
