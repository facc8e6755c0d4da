"""How rows of rooms above hang on accounts, for the filter language; merged accounts count with their survivor."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import aliased

from server.accounts.models import Account, Folded
from server.kit.filtering import Field, Relation


def of_account(
    name: str,
    plural: str,
    label: str,
    rows: Select[Any],
    account_id: Any,
    fields: tuple[Field, ...],
    *,
    day: Any = None,
) -> Relation:
    """A relation of accounts: rows that carry an account's id, with what can be asked of them."""
    named: Mapping[str, Field] = {field.name: field for field in fields}
    return Relation(name, plural, label, named, rows, account_id, Account.__table__.c.id, day, with_survivors)


def with_survivors(rows: Select[Any], parent: ColumnElement[Any], columns: tuple[ColumnElement[Any], ...]) -> Any:
    """Parent and columns of the rows; those of a merged account a second time under the account that lives on."""
    folded = aliased(Folded)
    theirs = rows.where(folded.id == parent)
    return (
        rows.order_by(None)
        .with_only_columns(parent.label("parent"), *columns)
        .union_all(theirs.order_by(None).with_only_columns(folded.survivor_id.label("parent"), *columns))
    )
