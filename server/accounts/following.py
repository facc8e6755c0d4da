"""Who follows an account and may see it: its owner and its reps by their work, others because they said so."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.models import Account
from server.accounts.values import ACCOUNT
from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.kit.errors import NotFound
from server.notifications import queries as notifications
from server.notifications import service
from server.notifications.kinds import About

IMPORTANT = ("owner_id", "status", "account_class", "interval_days", "phone", "email")
"""Fields of an account whose change its followers are told of."""


def seeing(session: Session, account_id: UUID, user_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these people may see an account."""
    account_id = queries.surviving(session, account_id)
    people = session.scalars(select(User).where(User.id.in_(set(user_ids)), User.deleted_at.is_(None), User.active))
    return {
        user.id
        for user in people.all()
        if session.scalar(
            queries.visible_to(scope_of(session, user, source="job"))
            .with_only_columns(Account.id)
            .where(Account.id == account_id)
        )
    }


def followers(session: Session, account_id: UUID) -> set[UUID]:
    """Who follows an account: its owner, its reps and whoever asked to, but for those who do not want to."""
    account = session.get(Account, account_id)
    if account is None:
        return set()
    said = notifications.followers(session, About("account", account_id))
    by_work = {*queries.reps_of(session, account_id), *([account.owner_id] if account.owner_id else [])}
    return {user_id for user_id in by_work | said.keys() if said.get(user_id, True)}


def is_following(session: Session, user_id: UUID, account_id: UUID) -> bool:
    """Whether somebody follows an account."""
    said = notifications.followed(session, user_id, "account", [account_id]).get(account_id)
    if said is not None:
        return said
    account = session.get(Account, account_id)
    return account is not None and (account.owner_id == user_id or user_id in queries.reps_of(session, account_id))


def follow(session: Session, scope: Scope, account_id: UUID, *, wanted: bool) -> None:
    """Be told of what happens at an account, or no more. Refuses an account that the person may not see."""
    living = queries.surviving(session, account_id)
    if not queries.granted(session, scope, living, ("accounts:read",)):
        raise NotFound("There is no such account.", id=str(account_id))
    service.follow(session, scope.user_id, About("account", living), wanted=wanted)


def tell(
    session: Session,
    account_id: UUID,
    kind: str,
    sentence: str,
    link: str,
    about: About,
    *,
    gaps: Mapping[str, Any] | None = None,
    by: UUID | None = None,
    but: Iterable[UUID] = (),
) -> None:
    """Tell the followers of an account something, as long as they may see it; rooms above call this.

    `but` names people who are told in another way.
    """
    account_id = queries.surviving(session, account_id)
    people = followers(session, account_id) - {*but, by}
    if people:
        people = seeing(session, account_id, people)
        service.notify(session, people, kind, sentence, link, about, gaps=gaps, by=by)


def tell_of_edit(session: Session, scope: Scope, account: Account, fields: Iterable[str]) -> None:
    """Tell the followers when something important of an account was changed."""
    changed = [name for name in IMPORTANT if name in set(fields)]
    if not changed:
        return
    tell(
        session,
        account.id,
        "edit",
        "{who} changed {what} of {account}",
        f"/accounts/{account.id}",
        About("account", account.id),
        gaps={
            "who": scope.name,
            "what": ", ".join(ACCOUNT[name].label for name in changed),
            "account": account.name,
        },
        by=scope.user_id,
    )
