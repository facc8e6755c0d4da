"""@mentions in a note: a login after an @, of somebody who may see the account."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts import following
from server.auth.models import User
from server.kit.errors import Invalid

AT = re.compile(r"(?<![\w@.])@([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)", re.IGNORECASE)
OFFERED = 8
LOOKED_AT = 24


class MayNotSee(Invalid):
    """A mention of somebody who cannot open the account."""

    code = "mention_may_not_see"


@dataclass(frozen=True)
class Person:
    """Somebody who can be mentioned."""

    id: UUID
    login: str
    name: str


def mentioned(session: Session, account_id: UUID, text: str) -> list[UUID]:
    """Whom a text mentions. Refuses people who may not see the account; an @ that names nobody is just text."""
    people = by_login(session, AT.findall(text))
    seen = following.seeing(session, account_id, [person.id for person in people.values()])
    blind = sorted(person.name for person in people.values() if person.id not in seen)
    if blind:
        raise MayNotSee(
            f"{', '.join(blind)} may not see this account and would not be told.",
            help="Take the @ out, or let the account be assigned to them first.",
            field="text",
            people=blind,
        )
    return sorted(seen)


def by_login(session: Session, logins: Iterable[str]) -> Mapping[str, Person]:
    """People by their login."""
    wanted = {login.lower() for login in logins}
    if not wanted:
        return {}
    statement = select(User.id, User.login, User.name).where(
        User.login.in_(wanted), User.deleted_at.is_(None), User.active
    )
    return {login: Person(key, login, name) for key, login, name in session.execute(statement)}


def offered(session: Session, account_id: UUID, begins: str) -> Sequence[Person]:
    """People whose login or name begins like this and who may see the account."""
    start = func.concat(func.search_text(begins, type_=Text), "%")
    name = func.search_text(User.name, type_=Text)
    fits = or_(func.lower(User.login).like(start), name.like(start), name.like(func.concat("% ", start)))
    statement = select(User.id, User.login, User.name).where(User.deleted_at.is_(None), User.active)
    if begins:
        statement = statement.where(fits)
    found = [Person(*row) for row in session.execute(statement.order_by(User.name, User.id).limit(LOOKED_AT))]
    seen = following.seeing(session, account_id, [person.id for person in found])
    return [person for person in found if person.id in seen][:OFFERED]
