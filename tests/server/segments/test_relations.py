"""Every word of the catalogue can be asked: no field, relation or sum breaks the database."""

from collections.abc import Callable
from itertools import batched
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import Role, User
from server.kit.filtering import Field, Kind, Vocabulary, compile_filter, parse
from server.kit.filtering.guard import estimate
from server.segments.catalogue import CATALOGUE

EXAMPLES = {
    Kind.TEXT: ('= "x"', 'contains "x"'),
    Kind.NUMBER: ("!= 1",),
    Kind.DATE: ("in last quarter",),
    Kind.FLAG: ("= yes", "= no"),
}


def questions(name: str, field: Field) -> list[str]:
    """What can be asked of one field."""
    if field.kind == Kind.CHOICE:
        value = f'"{field.choices[0]}"'
        return [f"{name} {one}" for one in (f"!= {value}", f"in ({value})")]
    return [f"{name} {one}" for one in (*EXAMPLES[field.kind], "is empty")]


def asked_of(known: Vocabulary) -> list[str]:
    """Everything that a subject can be asked, once."""
    found = [one for name, field in known.fields.items() for one in questions(name, field)]
    for relation in dict.fromkeys(known.relations.values()):
        found += [f"{relation.name} is empty", f"{relation.plural}.count() = 0"]
        found += [] if relation.day is None else [f"{relation.plural}.count() over 90 days < 3"]
        for name, field in relation.fields.items():
            found += questions(f"{relation.name}.{name}", field)
            found += [f"{relation.name} with (not {one})" for one in questions(name, field)[:1]]
            if field.kind == Kind.NUMBER and field.exists is None:
                found.append(f"{relation.plural}.sum({name}) > 5")
    return found


@pytest.mark.parametrize("subject", CATALOGUE.subjects)
@pytest.mark.usefixtures("admin_client")
def test_everything_can_be_asked(
    subject: str, session: Session, scope: Callable[[User], Scope], make_user: Callable[..., User]
) -> None:
    kind, reader = CATALOGUE.subjects[subject], scope(make_user("reader", Role.REP))
    known = kind.language(session, reader)
    everything = kind.visible(reader).with_only_columns(kind.key).order_by(None)
    for some in batched(asked_of(known), 12):
        tree = parse(" or ".join(some))
        assert estimate(session, everything.where(compile_filter(tree, known))).cost > 0


@pytest.mark.usefixtures("rita")
def test_accounts_are_asked_by_the_rows_of_other_rooms(
    admin_client: TestClient, make_account: Callable[..., Any]
) -> None:
    make_account("Amann", at=(9.2, 47.2))
    for filter in (
        "contact is empty",
        "orders.sum(amount) over 24 months = 0",
        "ticket.state is empty",
        "deal is empty",
    ):
        answer = admin_client.get("/api/v1/accounts", params={"filter": filter})
        assert answer.json()["total"] == 1, filter
