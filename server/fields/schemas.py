"""Wire shapes of custom fields, pick lists, visit types, forms and templates."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.fields.models import FieldKind


class Read(BaseModel):
    """Base of what is read from tables."""

    model_config = ConfigDict(from_attributes=True)


class Write(BaseModel):
    """Base of what people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """The values that were sent, and only those."""
        return self.model_dump(include=self.model_fields_set)


class ChoiceShape(BaseModel):
    """One value that can be chosen."""

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    value: str = Field(max_length=60)
    label: str = Field(default="", max_length=200)
    archived: bool = Field(default=False, description="Not offered any more; stays where it stands.")


class CustomFieldRead(Read):
    """A field that the company has added to an object."""

    id: UUID
    object: str
    key: str = Field(description="Values are sent under `custom.<key>`; filters name it `custom.<key>`.")
    label: str
    kind: FieldKind
    section: str | None
    position: int
    help: str | None
    unit: str | None
    required: bool
    searchable: bool
    default: Any
    choices: list[ChoiceShape]
    minimum: Decimal | None
    maximum: Decimal | None
    pattern: str | None
    archived: bool
    rev: int


class CustomFieldWrite(Write):
    """Properties of a field; those left out stay."""

    label: str | None = None
    kind: FieldKind | None = None
    section: str | None = None
    position: int | None = None
    help: str | None = None
    unit: str | None = None
    required: bool = False
    searchable: bool = False
    default: Any = None
    choices: list[ChoiceShape] | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    pattern: str | None = None
    archived: bool = False


class CustomFieldCreate(CustomFieldWrite):
    """A new field."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"object": "account", "label": "Loyalty points", "kind": "number", "unit": "points", "minimum": 0}
            ]
        }
    )

    object: str = Field(description="account, site, contact, visit, ...")
    key: str | None = Field(default=None, description="Left out: made from the label. Never changes.")
    label: str
    kind: FieldKind


class PicklistRead(Read):
    """The values that a field of a form offers."""

    name: str
    values: list[dict[str, str]]
    rev: int


class PicklistWrite(Write):
    """The entries of a pick list in their order."""

    values: list[ChoiceShape] = Field(max_length=200)


class QuestionShape(Write):
    """A question of a form."""

    key: str | None = Field(default=None, description="Left out: made from the label.")
    label: str
    kind: FieldKind = FieldKind.TEXT
    required: bool = False
    help: str | None = None
    unit: str | None = None
    choices: list[ChoiceShape] | None = None
    asked_if: str | None = Field(default=None, description="Key of an earlier question on which it depends.")
    asked_if_is: list[Any] | None = Field(default=None, description="Its answers at which this is asked; none: any.")


class VisitTypeRead(Read):
    """A kind of visit, and what is asked there now."""

    id: UUID
    name: str
    service_s: int | None
    position: int
    archived: bool
    rev: int
    form_version_id: UUID | None = None
    form_version: int | None = None
    questions: list[dict[str, Any]] = []


class VisitTypeWrite(Write):
    """A kind of visit."""

    name: str
    service_s: int | None = Field(default=None, description="Usual length in seconds.")
    position: int = 0
    archived: bool = False


class QuestionsWrite(Write):
    """What is asked from now on."""

    questions: list[QuestionShape] = Field(max_length=100)


class FormRead(Read):
    """What was asked, as it stood from some moment on."""

    id: UUID
    visit_type_id: UUID
    version: int
    questions: list[dict[str, Any]]
    created_at: datetime


class AdditionRead(Read):
    """One thing that a template brings."""

    what: str = Field(description="field, visit_type, form or picklist.")
    where: str
    name: str
    is_there: bool = Field(description="It is there already and stays as it is.")
    questions: int = Field(description="How many a form asks; 0 for what is no form.")


class TradeRead(BaseModel):
    """A template of a trade, and what it would add."""

    key: str
    name: str
    about: str
    additions: list[AdditionRead]
