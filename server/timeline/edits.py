"""What edits of an account and of its sites tell a timeline; changes of one person within a minute are one entry."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, Uuid, case, cast, func, literal, or_, select

from server.accounts.models import Site
from server.accounts.values import ACCOUNT, SITE
from server.auth.access import Scope
from server.records.editing import CUSTOM
from server.records.happenings import happening
from server.records.models import FieldHistory

LABELS = {name: rule.label for name, rule in {**SITE, **ACCOUNT}.items()} | {
    "pin": "Pin",
    "grade": "Grade of the pin",
    "deleted_at": "Deleted",
    "is_main": "Main site",
    "merged_into": "Merged into",
}
"""The fields whose changes people want to read; the rest is machinery."""


def of_accounts(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """The edits of some accounts that the person may see."""
    hidden = sorted(scope.hidden("account"))
    mine = edits("account", FieldHistory.row_id).where(FieldHistory.row_id.in_(account_ids))
    return mine.where(FieldHistory.field.not_in(hidden)) if hidden else mine


def of_sites(scope: Scope, account_ids: Select[Any]) -> Select[Any]:
    """The edits of their sites, deleted and folded ones too."""
    statement = edits("site", Site.account_id).join(Site, Site.id == FieldHistory.row_id)
    return statement.where(Site.account_id.in_(account_ids))


def edits(entity: str, account_id: Any) -> Select[Any]:
    """One row for each changed field; the creation of a row is one too."""
    facts = func.jsonb_build_object(
        "of", entity, "field", FieldHistory.field, "old", FieldHistory.old, "new", FieldHistory.new,
        "source", FieldHistory.source, "row_id", FieldHistory.row_id,
    )  # fmt: skip
    columns = happening(
        at=FieldHistory.at,
        kind="edit",
        entity=f"{entity}_edit",
        id=as_uuid(FieldHistory.id),
        account_id=account_id,
        actor_id=FieldHistory.actor,
        title=label(),
        body=FieldHistory.new[()].astext,
        is_internal=literal(True),
        facts=facts,
    )
    shown = (
        FieldHistory.entity == entity,
        or_(FieldHistory.field.in_(["*", *LABELS]), FieldHistory.field.startswith(CUSTOM)),
    )
    return select(*columns).select_from(FieldHistory).where(*shown)


def as_uuid(number: Any) -> ColumnElement[UUID]:
    """A number as an id, so that all sources have the same kind of key."""
    return cast(func.lpad(func.to_hex(number), 32, "0"), Uuid)


def label() -> ColumnElement[str]:
    """What a field is called, so that a search finds it."""
    own = func.replace(func.substr(FieldHistory.field, len(CUSTOM) + 1), "_", " ")
    return case(LABELS, value=cast(FieldHistory.field, Text), else_=case((FieldHistory.field.startswith(CUSTOM), own)))


def word_of(name: str) -> str | None:
    """What a field is called; one of the company's own after its key."""
    if name.startswith(CUSTOM):
        return name.removeprefix(CUSTOM).replace("_", " ").capitalize()
    return LABELS.get(name)
