"""Wire shapes of contacts, their places at accounts, and consent."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from server.accounts.schemas import Custom, flattened
from server.auth.veil import Veiled
from server.contacts.consent import Said
from server.contacts.models import Channel, Consent, ConsentState, Contact, How, Purpose
from server.contacts.queries import Place, Row


class Write(BaseModel):
    """Base of what people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Address(BaseModel):
    """A phone or a mail address."""

    model_config = ConfigDict(extra="forbid")

    label: str = Field(default="", max_length=40, examples=["work"])
    value: str = Field(max_length=254, examples=["+423 237 12 12"])


class PlaceFields(Write):
    """What a person is at an account; fields left out stay."""

    roles: list[str] | None = Field(default=None, description="Of the pick list contact_role.", examples=[["buyer"]])
    is_primary: bool | None = Field(default=None, description="Whom one asks for first; the one before steps back.")
    site_id: UUID | None = None
    since: date | None = None
    until: date | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        names = self.model_fields_set & set(PlaceFields.model_fields)
        return {name: getattr(self, name) for name in names}


class PlaceCreate(PlaceFields):
    """Where a person is."""

    account_id: UUID


class PlaceRead(BaseModel):
    """What a person is at an account."""

    id: UUID
    account_id: UUID
    account_name: str
    account_number: str | None
    site_id: UUID | None
    roles: list[str]
    is_primary: bool
    since: date | None
    until: date | None
    rev: int

    @classmethod
    def of(cls, place: Place) -> "PlaceRead":
        """A place as it goes over the wire."""
        own = {name: getattr(place, name) for name in ("account_id", "account_name", "account_number")}
        return cls(**own, **{name: getattr(place.link, name) for name in cls.model_fields if name not in own})


class ContactFields(Write):
    """The fields of a contact that people edit; fields left out stay."""

    prefix: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = Field(default=None, description="What the person does.", examples=["Head of purchasing"])
    languages: list[str] | None = Field(default=None, description="ISO 639-1, the preferred one first.")
    phones: list[Address] | None = None
    mails: list[Address] | None = None
    birthday: date | None = None
    note: str | None = None
    do_not_contact: bool | None = None
    do_not_contact_reason: str | None = None
    owner_id: UUID | None = None
    custom: Custom | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        names = self.model_fields_set & set(ContactFields.model_fields)
        return flattened(self.model_dump(include=names))


class ContactCreate(ContactFields):
    """A new contact."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "first_name": "Eva",
                    "last_name": "Marxer",
                    "title": "Head of purchasing",
                    "mails": [{"label": "work", "value": "eva.marxer@example.li"}],
                }
            ]
        }
    )

    accounts: list[PlaceCreate] = Field(default=[], max_length=50)


class ContactRead(Veiled):
    """A person."""

    veil_of = "contact"

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    prefix: str | None
    first_name: str | None
    last_name: str | None
    title: str | None
    languages: list[str]
    phones: list[Address]
    mails: list[Address]
    phone_numbers: list[str] = Field(description="Normalised (E.164).")
    birthday: date | None
    note: str | None
    do_not_contact: bool
    do_not_contact_reason: str | None
    owner_id: UUID | None
    custom: Custom
    created_at: datetime
    updated_at: datetime
    rev: int
    accounts: list[PlaceRead] = Field(default=[])

    @classmethod
    def of(cls, row: Row) -> "ContactRead":
        """A contact with its places."""
        own = {name: getattr(row.contact, name) for name in cls.model_fields if name != "accounts"}
        return cls(**own, accounts=[PlaceRead.of(place) for place in row.places])

    @classmethod
    def alone(cls, contact: Contact) -> "ContactRead":
        """A contact without its places."""
        return cls.of(Row(contact))


class ConsentWrite(Write):
    """What somebody said about being reached."""

    channel: Channel
    purpose: Purpose = Purpose.MARKETING
    state: ConsentState
    how: How = How.API
    at: AwareDatetime | None = Field(default=None, description="When the person said so; left out: now.")
    wording: str | None = Field(default=None, max_length=4000, description="The text that the person was shown.")
    note: str | None = Field(default=None, max_length=500)

    def said(self) -> Said:
        """The same for the rules."""
        return Said(**self.model_dump())


class ConsentRead(BaseModel):
    """What somebody said: a fact that never changes."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    contact_id: UUID
    channel: Channel
    purpose: Purpose
    state: ConsentState
    how: str
    at: datetime
    recorded_at: datetime
    recorded_by: UUID | None
    wording: str | None
    note: str | None

    @classmethod
    def of(cls, consent: Consent) -> "ConsentRead":
        """A stored fact."""
        return cls.model_validate(consent)


class Answer(BaseModel):
    """Whether somebody may be reached."""

    may: bool
    reason: str


class SuppressionWrite(Write):
    """An address that nobody may use."""

    address: str = Field(max_length=254)
    reason: str = Field(default="", max_length=300)


class SuppressionRead(BaseModel):
    """An address that nobody may use, and why."""

    model_config = ConfigDict(from_attributes=True)

    address: str
    reason: str
    at: datetime


class AlikeRead(BaseModel):
    """A contact that may be the same person."""

    contact: ContactRead
    reasons: list[str]


class Refused(BaseModel):
    """A card that could not be taken."""

    card: int = Field(description="Which one of the file, from 1.")
    name: str
    why: str


class CardsRead(BaseModel):
    """What came of a file of vCards."""

    created: list[ContactRead]
    known: list[UUID] = Field(description="Contacts that have an address of a card already; left as they are.")
    refused: list[Refused]
    left_out: dict[UUID, list[str]] = Field(description="By new contact: what of its card a contact has no place for.")
    noted: dict[UUID, str] = Field(description="By new contact: the company, which went into its note.")
    linked: dict[UUID, UUID] = Field(description="By new contact: the one account that is called as its company.")
    alike: dict[str, int] = Field(description="How many accounts within reach are called as a company that was noted.")
