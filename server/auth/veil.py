"""Fields that a role is kept from: the names they go by, and the veil that hides them from whoever asks.

A field of `FIELDS` has one name in the table and others on the wire, in filters, sorts and files: all stand in `NAMES`.
While a request is answered, its reader's veil lies over rows that are read and over shapes that go out, so that no
route and no page has to think of it. Whatever never becomes a row or a shape (tiles, files, the feed of phones) asks
the `Scope`.
"""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import BaseModel
from sqlalchemy import event, inspect
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as ASGIScope

from server.auth.roles import FIELDS, FieldRight

NAMES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "account": {
        "account_class": ("account_class", "class"),
        "tags": ("tags", "tag"),
        "yearly_value": ("yearly_value", "value"),
        "yearly_potential": ("yearly_potential", "potential"),
        "phone": ("phone", "phone_e164"),
    },
    "contact": {
        "phones": ("phones", "phone_numbers", "phone", "more_phones"),
        "mails": ("mails", "mail_addresses", "mail", "more_mails"),
    },
    "lead": {
        "score": ("score", "points", "chance", "score_reasons"),
        "expected_value": ("expected_value", "value"),
        "phones": ("phones", "phones_e164", "phone"),
        "emails": ("emails", "email"),
    },
    "opportunity": {
        "amount": ("amount", "in_base", "amount_in_company_currency", "company_currency", "lines"),
        "probability": ("probability", "own_probability", "percent"),
        "next_step": ("next_step", "next_step_on"),
        "competitors": ("competitors", "competitor"),
    },
    "order": {
        "totals": (
            "net", "tax", "gross", "taxes", "amount", "unit_price", "price_reason", "discount_percent", "order_net",
            "order_tax", "order_gross",
        ),
    },
    "ticket": {
        "requester": ("requester", "requester_name", "requester_email", "requester_phone", "author_name"),
        "rating": ("rating", "rating_note", "content"),
        "tags": ("tags", "tag"),
    },
}  # fmt: skip
"""The names of a field wherever it differs from the field's own."""

BORROWED: Mapping[str, Mapping[str, str]] = {
    "contact": {"account_class": "account.account_class"},
    "opportunity": {"class": "account.account_class"},
    "order": {"class": "account.account_class"},
}
"""Names under which rows of a kind tell a field of the account that they hang on."""

RELATED: Mapping[str, str] = {
    "deal": "opportunity",
    "quote": "order",
    "open_ticket": "ticket",
    "overdue_ticket": "ticket",
}
"""What the filter language calls rows of a kind."""


def names_of(kind: str, field: str) -> tuple[str, ...]:
    """The names that a field goes by."""
    return NAMES.get(kind, {}).get(field, (field,))


def fields_of(kind: str, names: Iterable[str]) -> set[str]:
    """The fields of a kind that go by some of these names."""
    given = set(names)
    return {field for field in FIELDS.get(kind, ()) if given & {field, *names_of(kind, field)}}


def hidden_names(rights: Mapping[str, FieldRight], kind: str) -> frozenset[str]:
    """The names that tell what somebody may not know of a kind of record."""
    kind = RELATED.get(kind, kind)
    own = {
        name
        for field in FIELDS.get(kind, ())
        if rights.get(f"{kind}.{field}") is FieldRight.HIDDEN
        for name in names_of(kind, field)
    }
    borrowed = BORROWED.get(kind, {})
    return frozenset(own | {name for name, field in borrowed.items() if rights.get(field) is FieldRight.HIDDEN})


@dataclass
class Veil:
    """What is hidden from the reader of one request."""

    names: Mapping[str, frozenset[str]]
    """By kind of record."""
    rights: Mapping[str, FieldRight] = field(default_factory=dict)
    over_rows: bool = False
    """Whether nothing is written (any more), so that rows themselves can be read without their hidden values."""
    session: Session | None = None
    """In which the rows of the request are."""


_worn: ContextVar[Veil | None] = ContextVar("veil", default=None)


class Veils:
    """Gives every request a veil of its own, empty until it is known who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a request behind its veil."""
        worn = _worn.set(Veil({}))
        try:
            await self.app(scope, receive, send)
        finally:
            _worn.reset(worn)


def draw(rights: Mapping[str, FieldRight], session: Session, *, reads_only: bool) -> None:
    """Draw the veil of this request for the person who asks; a handler in another thread holds the same one."""
    veil = _worn.get()
    if veil is not None:
        veil.names = {kind: names for kind in FIELDS if (names := hidden_names(rights, kind))}
        veil.rights, veil.session, veil.over_rows = rights, session, reads_only


def lower() -> None:
    """All that this request changes is written: rows that a page shows from now on are read through the veil."""
    veil = _worn.get()
    if veil is not None and veil.names and veil.session is not None and not veil.over_rows:
        veil.session.flush()
        veil.session.expire_all()
        veil.over_rows = True


def hidden(kind: str) -> frozenset[str]:
    """The names that are hidden from the reader of this request."""
    veil = _worn.get()
    return veil.names.get(kind, frozenset()) if veil else frozenset()


def is_fixed(kind: str, name: str) -> bool:
    """Whether the person who asks may not write the field that goes by this name: a form does not offer it."""
    veil = _worn.get()
    rights = veil.rights if veil else {}
    return any(f"{kind}.{one}" in rights for one in fields_of(kind, [name]))


def without(kind: str, value: Any) -> None:
    """Empty what is hidden of a value that was just made."""
    for name in hidden(kind):
        there = getattr(value, name, None)
        if there is not None:
            object.__setattr__(value, name, type(there)() if isinstance(there, list | dict | tuple) else None)


class Veiled(BaseModel):
    """A shape of a kind of record: what its reader may not know is null or empty."""

    veil_of: ClassVar[str]

    def model_post_init(self, context: Any, /) -> None:
        """Empty what is hidden."""
        for name in hidden(self.veil_of) & self.__class__.model_fields.keys():
            there = self.__dict__.get(name)
            self.__dict__[name] = type(there)() if isinstance(there, list | dict) else None


def over_rows(model: type[Any], kind: str) -> None:
    """Let rows of a table be read without what their reader may not know, where nothing is written."""

    def covered(row: Any, *_: object) -> None:
        veil = _worn.get()
        if veil is None or not veil.over_rows or kind not in veil.names:
            return
        for name in veil.names[kind].intersection(inspect(model).column_attrs.keys()):
            there = row.__dict__.get(name)
            if there is not None:
                set_committed_value(row, name, type(there)() if isinstance(there, list | dict) else None)

    event.listen(model, "load", covered)
    event.listen(model, "refresh", covered)
