"""Two years of talk about the demo's accounts: notes with answers, photos of shelves, one hand-over."""

import io
import random
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from PIL import Image, ImageDraw
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.activities.handovers import service as handovers
from server.activities.notes.models import Note
from server.auth.access import scope_of
from server.auth.models import Role, User
from server.demo.people import REPS
from server.files import service as files
from server.files import store
from server.files.models import FileUse
from server.kit.database import copy_rows
from server.kit.ids import uuid7
from server.kit.settings import settings
from server.notifications import service as notifications
from server.notifications.kinds import About

DAYS = 730
PER_CLASS = {"A": 14, "B": 7, "C": 3}
"""Notes of an account in two years."""
SEASON = (3, 3, 5, 6, 5, 4, 2, 2, 5, 6, 8, 7)
"""How much is written in each month: a lot before Christmas, little in the summer."""

SAID = (
    "Asked for a price for 40 pieces; they compare with their present supplier.",
    "The owner is on holiday until the end of the month, {buyer} decides meanwhile.",
    "Complained about a late delivery. I promised a call from the warehouse.",
    "Wants to try the new range in spring, about {money} a year.",
    "Their lease ends next year; they may move to a larger place.",
    "Pays after 60 days at best. Agree on a limit before the next large order.",
    "{buyer} is new in purchasing, comes from a competitor, likes short visits.",
    "Delivery only through the yard, before 10 in the morning.",
    "The competitor offered 8 % less. We keep the price and add the service contract.",
    "Very happy with the last campaign; would be a reference.",
)
FOR_THE_CUSTOMER = (
    "Offer sent for the extended range, valid until the end of the month.",
    "Agreed: delivery every second Tuesday, order until Friday noon.",
    "Samples handed over. We talk again in two weeks.",
    "Price list for the coming year handed over and explained.",
)
ASKED = (
    "may I offer them 5 % for a yearly contract?",
    "can you come along to the next talk? The owner asks for you.",
    "they want 60 days to pay. Do we agree?",
)
"""What a rep asks the manager."""
BUYERS = ("Mrs Marxer", "Mr Ospelt", "Mrs Beck", "Mr Frick", "Mrs Hilti", "Mr Nägele")
COLUMNS = (
    "id", "account_id", "author_id", "text", "mentions", "is_pinned", "is_shareable", "written_at", "created_at",
)  # fmt: skip


def two_years(session: Session, today: date, seed: int = 23) -> int:
    """Write the notes of two years, once; gives how many."""
    if session.scalar(select(Note.id).limit(1)) is not None:
        return 0
    chance = random.Random(seed)
    owned = select(Account.id, Account.owner_id, Account.account_class).where(
        Account.deleted_at.is_(None), Account.owner_id.is_not(None)
    )
    accounts = session.execute(owned.order_by(Account.number, Account.name)).all()
    managers = session.execute(
        select(User.id, User.login).where(User.role == Role.MANAGER, User.deleted_at.is_(None)).order_by(User.login)
    ).all()
    logins = {key: login for key, login in session.execute(select(User.id, User.login))}
    rows = []
    for account_id, owner_id, its_class in accounts:
        if owner_id is None:
            continue
        rows += notes_of(chance, today, account_id, owner_id, its_class, managers[0] if managers else None, logins)
    copy_rows(session, "note", COLUMNS, rows)
    photos(session, chance, [(row[0], row[2]) for row in rows])
    tell(session, chance, rows)
    hand_over(session, today)
    return len(rows)


def notes_of(
    chance: random.Random,
    today: date,
    account_id: UUID,
    owner_id: UUID,
    its_class: str | None,
    manager: Sequence[object] | None,
    logins: dict[UUID, str],
) -> list[tuple[object, ...]]:
    """The notes of one account; now and then the manager answers and asks the rep by name."""
    zone = ZoneInfo(settings().zone)
    rows: list[tuple[object, ...]] = []
    for number in range(chance.randint(0, PER_CLASS.get(its_class or "C", 3))):
        day = a_day(chance, today)
        at = datetime.combine(day, time(chance.randrange(8, 18), chance.randrange(60)), zone)
        shared = chance.random() < 0.2
        words = chance.choice(FOR_THE_CUSTOMER if shared else SAID).format(
            buyer=chance.choice(BUYERS), money=f"{settings().currency} {chance.randrange(4, 60)}’000"
        )
        pinned = number == 0 and its_class == "A" and chance.random() < 0.4
        rows.append((uuid7(), account_id, owner_id, words, [], pinned, shared, at, at))
        if manager and chance.random() < 0.15:
            later = at + timedelta(hours=chance.randrange(1, 30))
            answer = f"@{logins[owner_id]} good point, please bring it up at the next visit."
            rows.append((uuid7(), account_id, manager[0], answer, [owner_id], False, False, later, later))
        elif manager and isinstance(manager[0], UUID) and chance.random() < 0.06:
            later = at + timedelta(minutes=chance.randrange(5, 60))
            question = f"@{manager[1]} {chance.choice(ASKED)}"
            rows.append((uuid7(), account_id, owner_id, question, [manager[0]], False, False, later, later))
    now = datetime.combine(today, time(), zone)
    return [row for row in rows if isinstance(row[7], datetime) and row[7] < now]


def a_day(chance: random.Random, today: date) -> date:
    """A working day of the last two years, by season."""
    while True:
        day = today - timedelta(days=chance.randrange(1, DAYS))
        if day.weekday() < 5 and chance.random() * max(SEASON) < SEASON[day.month - 1]:
            return day


def photos(session: Session, chance: random.Random, notes: Sequence[tuple[object, object]], count: int = 12) -> None:
    """A few notes have a picture of a shelf, drawn here."""
    for note_id, author in chance.sample(list(notes), min(count, len(notes))):
        author_id = author if isinstance(author, UUID) else None
        file = files.keep(session, store.take("shelf.jpg", shelf(chance)), "shelf.jpg", author_id)
        session.add(FileUse(entity="note", row_id=note_id, file_id=file.id))
    session.flush()


def shelf(chance: random.Random) -> bytes:
    """A shelf with boxes and gaps."""
    picture = Image.new("RGB", (960, 640), (236, 232, 222))
    pen = ImageDraw.Draw(picture)
    for row in range(4):
        floor = 150 + row * 150
        pen.rectangle((30, floor, 930, floor + 14), fill=(150, 128, 98))
        left = 44
        while left < 880:
            width, height = chance.randrange(34, 80), chance.randrange(60, 118)
            if chance.random() < 0.8:
                colour = chance.choice(((15, 107, 79), (228, 87, 46), (31, 111, 178), (230, 159, 0), (92, 104, 98)))
                pen.rectangle((left, floor - height, left + width, floor - 1), fill=colour)
            left += width + 8
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


def tell(session: Session, chance: random.Random, rows: Sequence[tuple[object, ...]]) -> None:
    """The latest mentions are still unread."""
    asked = sorted((row for row in rows if row[4]), key=lambda row: str(row[7]))[-12:]
    for row in asked:
        people = [UUID(str(one)) for one in row[4]] if isinstance(row[4], list) else []
        account = session.get_one(Account, row[1])
        made = notifications.notify(
            session,
            people,
            "mention",
            "{who} mentioned you at {account}: {words}",
            f"/accounts/{account.id}#note-{row[0]}",
            About("note", UUID(str(row[0]))),
            gaps={"who": session.get_one(User, row[2]).name, "account": account.name, "words": str(row[3])},
        )
        for one in made:
            one.made_at = row[7]  # type: ignore[assignment]
            one.read_at = one.made_at if chance.random() < 0.5 else None
    session.flush()


def hand_over(session: Session, today: date) -> None:
    """A manager gives three accounts of one rep to a colleague."""
    manager = session.scalars(select(User).where(User.role == Role.MANAGER).order_by(User.login)).first()
    reps = session.scalars(select(User).where(User.login.in_(REPS)).order_by(User.login).limit(2)).all()
    if manager is None or len(reps) < 2:
        return
    scope = scope_of(session, manager, source="web")
    mine = select(Account.id).where(Account.owner_id == reps[0].id, Account.deleted_at.is_(None))
    ids = session.scalars(mine.order_by(Account.name).limit(3)).all()
    note = "From now on you drive that valley anyway. Please introduce yourself within four weeks."
    handovers.hand_over(session, scope, handovers.Wish(ids, reps[1].id, today, note))
