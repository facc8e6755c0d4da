"""Wire shapes of density and white space."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.accounts.models import AccountClass
from server.density.figures import Figures
from server.density.open_data import Unfit
from server.density.outlines import MOST_CORNERS
from server.density.turning import MOST_AT_ONCE, MOST_CELLS, Into, Selection
from server.density.whitespace import LONGEST_DAYS, Which


class DensityRead(BaseModel):
    """The market in numbers, with what a legend needs."""

    prospects: int
    customers: int
    customers_of_unknown_kind: int
    """With a kind they are not counted among the customers, although some may be of it."""
    refreshed_at: datetime | None
    resolution_by_zoom: list[int]
    """H3 resolution of the hexagons at zoom 0, 1, 2, ..."""
    layer_breaks: dict[str, dict[int, list[float]]] = Field(default_factory=dict)
    """Upper bounds of the classes per hexagon by layer (prospects, customers, value) and resolution; the last class has
    none. Of `penetration` lower bounds; the first class begins at 0."""
    layer_most: dict[str, dict[int, float]] = Field(default_factory=dict)
    """The highest figure of a hexagon by layer and resolution."""
    bandwidth_m_by_zoom: dict[int, list[float]] = Field(default_factory=dict)
    """Bandwidth that a surface really has at zoom 0, 1, 2, ..., by the one asked for."""
    ladder: list[float] = Field(default_factory=list)
    """Lower bounds of the surface's classes, firms per km²."""
    ramp: list[str]
    sources: list[str]


class KindRead(BaseModel):
    """A kind of firm: how many are customers, and what such customers are worth."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    firms: float
    customers: float
    rate: float
    """Share that become customers, drawn towards that of all kinds (geo.whitespace.pooled)."""
    value: float | None
    """Mean yearly value of such customers; null when it may not be seen."""


class FiguresRead(BaseModel):
    """All figures of a place."""

    prospects: int
    customers: float
    potential: float
    """All firms that could be customers, or are."""
    penetration: float
    low_90: float
    high_90: float
    """Wilson score interval."""
    expected: float
    """Customers that were to be expected: Σ of the rates of the firms' kinds."""
    chance_low: float
    chance_high: float
    z: float
    """Found less expected in standard deviations, beyond half a customer."""
    customers_of_unknown_kind: float
    """Of a kind: customers that may be of it, because theirs is not known."""
    not_known: bool
    """Of a kind: no customer is surely of it and some may be, so that nobody knows the penetration."""
    beyond_chance: int
    """-1: fewer than chance allows; 1: more; 0: within chance."""
    value: float | None
    """Σ prospects x rate x mean value of the kind, a year; null when it may not be seen."""
    square_km: float

    @classmethod
    def of(cls, found: Figures, *, values: bool) -> "FiguresRead":
        """As it travels."""
        return cls(
            prospects=found.prospects,
            customers=found.customers,
            potential=found.potential,
            penetration=found.penetration.share,
            low_90=found.penetration.low,
            high_90=found.penetration.high,
            expected=found.chance.expected,
            chance_low=found.chance.low,
            chance_high=found.chance.high,
            z=found.chance.z,
            beyond_chance=found.chance.beyond,
            value=found.value if values else None,
            square_km=found.square_km,
            customers_of_unknown_kind=found.unknown,
            not_known=found.not_known,
        )


class RankedCell(BaseModel):
    """A hexagon in a ranking."""

    cell: str
    lon: float
    lat: float
    figures: FiguresRead


class CellRead(BaseModel):
    """A hexagon."""

    cell: str
    resolution: int
    lon: float
    lat: float
    territory_id: UUID | None
    territory: str | None
    figures: FiguresRead
    kinds: list[dict[str, Any]]
    """The commonest kinds with prospects and customers."""
    customers_of_unknown_kind: float


class AreaFeature(BaseModel):
    """A territory or an administrative area as a GeoJSON feature; its properties are the figures with id and name."""

    type: Literal["Feature"] = "Feature"
    geometry: dict[str, Any]
    properties: dict[str, Any]


class AreasRead(BaseModel):
    """Areas as GeoJSON, with the levels that there are."""

    type: Literal["FeatureCollection"] = "FeatureCollection"
    features: list[AreaFeature]
    levels: list[int]
    sources: list[str]


class GapRead(BaseModel):
    """A hexagon of white space."""

    cell: str
    lon: float
    lat: float
    territory_id: UUID | None
    territory: str | None
    prospects: int
    leads: int
    accounts: int
    worked: int
    """Open leads that were made of its prospects: these do not count any more."""
    kinds: list[tuple[str, int]]
    value: float | None
    """Expected a year; null when it may not be seen."""
    per_hour: float
    """value / (drive_h + visit_h), or firms for the hours; without a start the value."""
    rep: str | None
    """Whose start is nearest."""
    out_s: int | None
    by_road: bool
    """By the road graph; otherwise a straight line x 1.35."""
    drive_h: float | None
    visit_h: float
    """One visit to each: 30 min to a prospect or lead, to an account as long as is planned there."""


class WhiteSpaceRead(BaseModel):
    """White space in its order."""

    items: list[GapRead]
    total: int
    ranked_by: Literal["value", "firms"]
    has_start: bool
    sources: list[str]


class AlikeRead(BaseModel):
    """A prospect like the best customers."""

    prospect_id: UUID
    name: str
    kind: str
    lon: float
    lat: float
    score: float
    same_kind: float
    shared: list[str]
    same_place: bool
    as_dense: bool
    distance_m: float


class LookAlikesRead(BaseModel):
    """Look-alikes; with fewer best customers than needed there are none."""

    items: list[AlikeRead]
    best: int
    needed: int


Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


class TurnWrite(BaseModel):
    """What is to become what."""

    into: Into
    cells: list[str] = Field(default_factory=list, max_length=MOST_CELLS)
    prospect_ids: list[UUID] = Field(default_factory=list, max_length=MOST_AT_ONCE)
    outline: list[tuple[Longitude, Latitude]] = Field(
        default_factory=list, max_length=MOST_CORNERS, description="Instead: corners of ground that was drawn around."
    )
    kind: str | None = None
    days: int = Field(default=90, ge=1, le=LONGEST_DAYS)
    which: Which | None = None
    territory_id: UUID | None = None
    account_class: AccountClass | None = None
    owner_id: UUID | None = None

    def selection(self) -> Selection:
        """As the rule takes it."""
        return Selection(**self.model_dump(exclude={"into"}))


class RefusedRead(BaseModel):
    """A prospect of which no lead can be made, with the reason; the others of the batch are made."""

    model_config = ConfigDict(from_attributes=True)

    prospect_id: UUID
    source_id: str
    """What open data calls it, `n123`."""
    name: str
    """Its first 300 letters."""
    reason: Unfit


class TurnRead(BaseModel):
    """What was made, and what was left out."""

    id: UUID
    into: Into
    counts: dict[str, int]
    """`made`; left out: `leads` (already), `customers`, `accounts`, `tasks`, `visits`; `nameless`, `long_name`."""
    refused: list[RefusedRead] = Field(default_factory=list)


class PastRead(BaseModel):
    """An action of the history."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    into: Into
    at: datetime
    who: str | None
    """None: somebody who was erased since."""
    made: int
    worked_on: int
    """So many of them somebody has begun to work since: undo leaves these."""
    can_be_undone: bool
    undone_at: datetime | None


class ShareRead(BaseModel):
    """What one person gets in one territory."""

    territory: str | None
    """None: no territory covers it."""
    who: str | None
    """None: the rules for leads, or the next plan, choose."""
    count: int


class TurnPreview(BaseModel):
    """What an action would make and leave out."""

    counts: dict[str, int]
    """As in `TurnRead`."""
    shares: list[ShareRead]
    """The largest first; they add up to `made`."""
    examples: list[str]
    """Names of the first five."""
    refused: list[RefusedRead] = Field(default_factory=list)


class UndoRead(BaseModel):
    """What was taken back; what somebody has begun to work is kept."""

    taken_back: int
    kept: int
