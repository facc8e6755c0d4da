"""What a change of the people of a territory means: who comes, who goes, and whose accounts stay whose."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import User
from server.balance.drafts import Draft
from server.kit import clock
from server.kit.settings import settings
from server.territories.members import Span, spans_of


def changed(session: Session, drafts: Sequence[Draft]) -> tuple[dict[str, Any], ...]:
    """Whoever works, or shall work, one of the territories from today on, with the days before and after."""
    today = clock.today(settings().zone)
    found = [
        (draft.id, user_id, *days)
        for draft in drafts
        if draft.people is not None
        for user_id, days in _by_person(spans_of(session, draft.id), draft.people).items()
        if any(one.end > today for spans in days for one in spans)
    ]
    named = select(User.id, User.name).where(User.id.in_({row[1] for row in found}))
    names = {row[0]: row[1] for row in session.execute(named)}
    owned = _owned(session, [draft.id for draft in drafts])
    rows = [
        {
            "territory_id": str(territory_id),
            "user_id": str(user_id),
            "name": names.get(user_id, ""),
            "before": [one.stored() for one in before],
            "after": [one.stored() for one in after],
            "accounts": sum(count for (place, _), count in owned.items() if place == territory_id),
            "owned": owned.get((territory_id, user_id), 0),
        }
        for territory_id, user_id, before, after in found
    ]
    return tuple(sorted(rows, key=lambda row: (row["territory_id"], row["name"], row["user_id"])))


def called(session: Session, names: Iterable[str]) -> dict[str, list[UUID]]:
    """Who can sign in and is called so, by login, mail address or full name, whatever its capitals."""
    wanted = {name.lower(): name for name in names}
    keys = (User.login, User.email, User.name)
    living = select(User.id, *(func.lower(key) for key in keys)).where(User.active, User.deleted_at.is_(None))
    found: dict[str, list[UUID]] = {name: [] for name in wanted}
    for user_id, *mine in session.execute(living.where(or_(*(func.lower(key).in_(wanted) for key in keys)))):
        for name in set(mine) & wanted.keys():
            found[name].append(user_id)
    return found


def _by_person(before: Sequence[Span], after: Sequence[Span]) -> dict[UUID, tuple[list[Span], list[Span]]]:
    found: dict[UUID, tuple[list[Span], list[Span]]] = {}
    for number, spans in enumerate((before, after)):
        for one in spans:
            found.setdefault(one.user_id, ([], []))[number].append(one)
    return found


def _owned(session: Session, territory_ids: Sequence[UUID]) -> dict[tuple[UUID | None, UUID | None], int]:
    """How many living accounts of each territory each owner has; None: nobody's."""
    statement = (
        select(Account.territory_id, Account.owner_id, func.count())
        .where(Account.territory_id.in_(territory_ids), Account.deleted_at.is_(None), Account.merged_into.is_(None))
        .group_by(Account.territory_id, Account.owner_id)
    )
    return {(place, owner): count for place, owner, count in session.execute(statement)}
