"""Wire shapes of deals, pipelines and stages."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.auth.veil import Veiled
from server.opportunities.models import ChoiceKind, OpportunityLine, Pipeline, Stage
from server.opportunities.queries import Row, Step
from server.opportunities.service import NewDeal


class Read(BaseModel):
    """Base of what is read from tables."""

    model_config = ConfigDict(from_attributes=True)


class Write(BaseModel):
    """Base of what people send: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class TotalRead(Read):
    """A sum of deals in the company's currency."""

    count: int
    amount: Decimal
    weighted: Decimal = Field(description="Amount times probability.")
    apart: dict[str, Decimal] = Field(description="Amounts in currencies without a rate, by currency; not added up.")
    rates: dict[str, Decimal] = Field(
        default={},
        description="What one unit of each other currency in the sum was taken for, in the company's; without those of "
        "`several`.",
    )
    several: set[str] = Field(default=set(), description="Other currencies that were taken by rates of several days.")


class LineWrite(Write):
    """One thing that a deal is about."""

    name: str
    quantity: Decimal
    unit_price: Decimal = Field(description="With or without tax, as the account's price list of the product says.")
    discount: Decimal = Field(default=Decimal(0), description="Share, 0 to 1, with at most five decimals.")
    tax_class_id: UUID | None = Field(default=None, description="Null: that of the product, where there is one.")
    product_id: UUID | None = None


class LineRead(Read):
    """A line as it is stored."""

    id: UUID
    position: int
    name: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    is_gross: bool = Field(description="The price contains the tax; the amount of the deal never does.")
    tax_percent: Decimal | None = Field(description="Null: unknown, counts as nothing.")
    tax_class_id: UUID | None
    product_id: UUID | None


class DealListed(Veiled, Read):
    """A deal in a list."""

    veil_of = "opportunity"

    id: UUID
    number: str | None
    name: str
    account_id: UUID
    account_name: str
    site_id: UUID | None
    contact_id: UUID | None
    owner_id: UUID | None
    owner_name: str | None
    territory_name: str | None
    pipeline_id: UUID
    stage_id: UUID
    stage: str
    state: str
    amount: Decimal | None
    currency: str
    in_base: Decimal | None = Field(description="The amount in the company's currency; null without a rate.")
    probability: Decimal | None = Field(description="Its own, else its stage's.")
    category: str = Field(description="Its own, else its stage's.")
    close_on: date
    closed_at: datetime | None
    next_step: str | None
    next_step_on: date | None
    competitors: list[str]
    source: str | None
    reason: str | None
    days_in_stage: int
    is_rotten: bool = Field(description="Longer in its stage than the stage allows.")
    lon: float | None
    lat: float | None
    rev: int

    @classmethod
    def of(cls, row: Row) -> "DealListed":
        """A row of a list."""
        return cls(**listed(row))


BESIDE = (
    "account_id", "account_name", "owner_name", "territory_name", "in_base", "probability", "days_in_stage",
    "is_rotten", "lon", "lat",
)  # fmt: skip


def listed(row: Row) -> dict[str, Any]:
    """The values of a list's row."""
    made = {name: getattr(row, name) for name in BESIDE}
    made |= {"stage": row.stage.name, "category": row.deal.category or row.stage.category}
    return made | {name: getattr(row.deal, name) for name in DealListed.model_fields if name not in made}


class StepRead(Veiled, Read):
    """One step of a deal from stage to stage."""

    veil_of = "opportunity"

    from_stage: str | None
    to_stage: str
    at: datetime
    who: str | None
    amount: Decimal | None
    currency: str
    days_in_stage: Decimal | None

    @classmethod
    def of(cls, step: Step) -> "StepRead":
        """A stored step."""
        names = ("at", "amount", "currency", "days_in_stage")
        values = {name: getattr(step.change, name) for name in names}
        return cls(from_stage=step.from_name, to_stage=step.to_name, who=step.who, **values)


class NoteRead(BaseModel):
    """Something that the editor should know."""

    code: str
    message: str
    old: str
    new: str


class DealRead(DealListed):
    """A deal with all its fields, lines and steps."""

    own_probability: Decimal | None = Field(description="Null: what the stage says.")
    own_category: str | None = Field(description="Null: what the stage says.")
    note: str | None
    custom: dict[str, Any]
    stage_since: datetime
    created_at: datetime
    updated_at: datetime
    lines: list[LineRead]
    steps: list[StepRead] = Field(description="The latest first.")
    notes: list[NoteRead] = Field(default=[], description="What this change did beside; e.g. currency_changed.")

    @classmethod
    def full(
        cls, row: Row, lines: Iterable[OpportunityLine], steps: Iterable[Step], notes: Iterable[Any]
    ) -> "DealRead":
        """One deal in full."""
        deal = row.deal
        names = ("note", "custom", "stage_since", "created_at", "updated_at")
        return cls(
            **listed(row),
            **{name: getattr(deal, name) for name in names},
            own_probability=deal.probability,
            own_category=deal.category,
            lines=[LineRead.model_validate(line) for line in lines],
            steps=[StepRead.of(step) for step in steps],
            notes=[NoteRead(**note) for note in notes],
        )


class DealFields(Write):
    """The fields of a deal that people edit; fields left out stay."""

    number: str | None = None
    name: str | None = None
    account_id: UUID | None = None
    site_id: UUID | None = None
    contact_id: UUID | None = None
    owner_id: UUID | None = None
    amount: Decimal | None = None
    currency: str | None = Field(default=None, description="ISO 4217.")
    close_on: date | None = None
    probability: Decimal | None = Field(default=None, description="0 to 1; null: what the stage says.")
    category: str | None = Field(default=None, description="commit, best_case, pipeline or omitted; null: the stage's.")
    next_step: str | None = None
    next_step_on: date | None = None
    competitors: list[str] | None = None
    source: str | None = None
    reason: str | None = None
    note: str | None = None
    custom: dict[str, Any] | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        names = self.model_fields_set & set(DealFields.model_fields)
        return {name: getattr(self, name) for name in names}


Lines = Annotated[list[LineWrite], Field(max_length=500)]


class DealCreate(DealFields):
    """A new deal; an open deal needs a next step with a day."""

    name: str
    account_id: UUID
    close_on: date
    pipeline_id: UUID | None = Field(default=None, description="Null: the first one.")
    stage_id: UUID | None = Field(default=None, description="Null: the first one of the pipeline.")
    lines: Lines = []

    def new(self) -> NewDeal:
        """The same for the rules."""
        lines = [line.model_dump() for line in self.lines]
        return NewDeal(self.given(), pipeline_id=self.pipeline_id, stage_id=self.stage_id, lines=lines)


class MoveWrite(Write):
    """A move to a stage, with fields that the stage asks for."""

    stage_id: UUID
    fields: DealFields = DealFields()


class LinesWrite(Write):
    """All lines of a deal, in one currency."""

    lines: Lines
    currency: str | None = None


class BulkWrite(Write):
    """One change to many deals."""

    deals: Annotated[dict[UUID, int], Field(max_length=500, description="Revision that was read, by id.")]
    fields: DealFields = DealFields()
    stage_id: UUID | None = Field(default=None, description="Null: they stay in their stages.")


class BulkRefused(BaseModel):
    """A deal that stayed as it was, and why."""

    id: UUID
    message: str
    code: str


class BulkRead(BaseModel):
    """What came of a change to many deals."""

    changed: int
    refused: list[BulkRefused]


class StageRead(Read):
    """A stage of a pipeline."""

    id: UUID
    pipeline_id: UUID
    name: str
    position: int
    probability: Decimal
    category: str
    rotten_days: int | None
    required: list[str]
    is_won: bool
    is_lost: bool


class PipelineRead(Read):
    """A pipeline with its stages in their order."""

    id: UUID
    name: str
    stages: list[StageRead]

    @classmethod
    def of(cls, pipeline: Pipeline, stages: Iterable[Stage]) -> "PipelineRead":
        """A stored pipeline."""
        own = [StageRead.model_validate(stage) for stage in stages if stage.pipeline_id == pipeline.id]
        return cls(id=pipeline.id, name=pipeline.name, stages=own)


class PipelineWrite(Write):
    """The name of a pipeline."""

    name: str


class StageFields(Write):
    """The fields of a stage; fields left out stay."""

    name: str | None = None
    probability: Decimal | None = Field(default=None, description="0 to 1.")
    category: str | None = None
    rotten_days: int | None = None
    required: list[str] | None = None
    is_won: bool | None = None
    is_lost: bool | None = None

    def given(self) -> dict[str, Any]:
        """The fields that were sent, and only those."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class OrderWrite(Write):
    """The stages of a pipeline in their new order."""

    stage_ids: Annotated[list[UUID], Field(max_length=100)]


class RemovedRead(BaseModel):
    """What came of removing a stage."""

    moved: int


class ChoiceRead(Read):
    """A word of a list."""

    id: UUID
    kind: ChoiceKind
    name: str


class ChoiceWrite(Write):
    """A new word of a list."""

    kind: ChoiceKind
    name: str


class ColumnRead(BaseModel):
    """A column of the board."""

    stage: StageRead
    total: TotalRead
    deals: list[DealListed]
    next_cursor: str | None


class BoardRead(BaseModel):
    """A pipeline as columns of deals, the next to close first."""

    pipeline_id: UUID
    columns: list[ColumnRead]


class RateRead(Read):
    """A rate of a currency."""

    id: UUID
    currency: str
    day: date
    rate: Decimal


class RateWrite(Write):
    """A rate of a currency from a day on."""

    currency: str
    day: date
    rate: Decimal = Field(description="One unit in the company's currency.")


class FieldRead(BaseModel):
    """A field of the filter language."""

    name: str
    kind: str
    label: str
    choices: list[str]
