"""Tables of density: what tiles show, counted beforehand."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Uuid,
    column,
    func,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base
from server.kit.ids import uuid7


class DensityCustomer(Base):
    """A customer's site as it was last counted."""

    __tablename__ = "density_customer"
    __table_args__ = (Index("ix_density_customer_near", "near", postgresql_using="gist"),)

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    """No foreign key: it must be taken out of the counts also after the site is gone."""
    rev: Mapped[int] = mapped_column(BigInteger, comment="Of what decides how it is counted, when it was counted.")
    cells: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="H3 cells in which it may lie (geo.density.spread)."
    )
    parts: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), comment="Hundredths of it in each of these.")
    prospect_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="The prospect that this customer is: same place, much the same name."
    )
    prospect_cell: Mapped[int | None] = mapped_column(
        BigInteger, comment="H3 cell of that prospect in the finest resolution, where it is counted no longer."
    )
    prospect_trade_id: Mapped[int | None] = mapped_column(SmallInteger, comment="Kind of that prospect.")
    trade_id: Mapped[int] = mapped_column(
        SmallInteger,
        server_default=text("0"),
        comment="Kind that the account says, else that of the prospect, else what its name tells; 0: not known.",
    )
    worth: Mapped[float | None] = mapped_column(
        comment="Of a main site: yearly value of its account, where that is in the company's currency."
    )
    plain_name: Mapped[str] = mapped_column(comment="Of its account, as `search_text` has it.")
    near: Mapped[WKBElement] = mapped_column(
        Geometry("POINT", srid=4326, spatial_index=False),
        comment="Its pin on a grid of 0.001 degrees: finds the customers around a firm.",
    )


class DensityChanged(Base):
    """A site, or an account with its sites, that may count otherwise now; triggers write it (migration 0107), a
    refresh takes it away."""

    __tablename__ = "density_changed"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    site_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None] = mapped_column(comment="Whose sites, all that there are by then.")


class DensityTrade(Base):
    """A kind of prospect: how many of them are customers, and what such customers are worth."""

    __tablename__ = "density_trade"

    id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    kind: Mapped[str] = mapped_column(unique=True, comment="`shop=bakery`")
    firms: Mapped[float] = mapped_column(
        server_default=text("0"), comment="Prospects and customers when it was learned."
    )
    customers: Mapped[float] = mapped_column(server_default=text("0"), comment="Those of them that were customers.")
    rate: Mapped[float] = mapped_column(
        server_default=text("0"), comment="Share that become customers, drawn towards that of all kinds."
    )
    value: Mapped[float] = mapped_column(
        server_default=text("0"), comment="Mean yearly value of such customers, drawn towards that of all kinds."
    )


class DensityCount(Base):
    """Firms of one kind in one hexagon, which `DensityCell` sums up; read through the view `density_count_now`."""

    __tablename__ = "density_count"

    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="H3 index.")
    trade_id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="Kind; 0: customers of no known kind."
    )
    prospects: Mapped[int] = mapped_column(Integer)
    customers: Mapped[Decimal] = mapped_column(Numeric(12, 2))


class DensityCountChange(Base):
    """By how much a count has changed since all were summed up."""

    __tablename__ = "density_count_change"

    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="H3 index.")
    trade_id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, comment="Kind; 0: customers of no known kind."
    )
    prospects: Mapped[int] = mapped_column(Integer)
    customers: Mapped[Decimal] = mapped_column(Numeric(12, 2))


class DensityCellChange(Base):
    """By how much a hexagon has changed since all were summed up."""

    __tablename__ = "density_cell_change"

    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="H3 index.")
    prospects: Mapped[int] = mapped_column(Integer)
    customers: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    expected: Mapped[float]
    variance: Mapped[float]
    value: Mapped[float]


class DensityCell(Base):
    """A hexagon with its counts as all were last summed up: the view `density_cell_now` has them as they are. Coarser
    cells are sums of finer ones."""

    __tablename__ = "density_cell"
    __table_args__ = (Index("ix_density_cell_geom_resolution", "geom", "resolution", postgresql_using="gist"),)

    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="H3 index.")
    resolution: Mapped[int] = mapped_column(SmallInteger, comment="H3 resolution.")
    prospects: Mapped[int] = mapped_column(Integer, comment="That are not customers yet.")
    customers: Mapped[Decimal] = mapped_column(
        Numeric(12, 2), comment="A customer whose place is unsure counts in parts; they add up to whole ones."
    )
    expected: Mapped[float] = mapped_column(server_default=text("0"), comment="Customers by the rates of the kinds.")
    variance: Mapped[float] = mapped_column(server_default=text("0"), comment="Of expected: sum of rate (1 - rate).")
    value: Mapped[float] = mapped_column(
        server_default=text("0"), comment="Prospects x rate x value of their kind, a year."
    )
    territory_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="The territory that covers its middle, the smallest of several."
    )
    geom: Mapped[WKBElement] = mapped_column(Geometry("POLYGON", srid=3857, spatial_index=False))


COUNT_NOW = table(
    "density_count_now",
    column("cell", BigInteger),
    column("trade_id", SmallInteger),
    column("prospects", Integer),
    column("customers", Numeric(12, 2)),
)
"""Counts and their changes, each a row: a cell and kind may have two, which add up."""
CELL_NOW = table(
    "density_cell_now",
    column("cell", BigInteger),
    column("resolution", SmallInteger),
    column("prospects", Integer),
    column("customers", Numeric(12, 2)),
    column("territory_id", Uuid),
)
"""Hexagons that hold something, as they are; also penetration, its interval, expected, variance, value and geom."""


class DensityState(Base):
    """What the cells were counted from; one row."""

    __tablename__ = "density_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Always 1.")
    inputs: Mapped[str] = mapped_column(comment="The regions that were counted.")
    territories: Mapped[str] = mapped_column(
        server_default=text("''"), comment="Fingerprint of the territories to which cells were given."
    )
    learned_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="When the rates and values of kinds were learned."
    )
    usual_rate: Mapped[float] = mapped_column(server_default=text("0"), comment="Customers / firms of all kinds.")
    usual_value: Mapped[float] = mapped_column(
        server_default=text("0"), comment="Mean yearly value of the customers that have one."
    )
    currency: Mapped[str | None] = mapped_column(comment="The company's when values were learned.")
    worth_sum: Mapped[float] = mapped_column(
        server_default=text("0"), comment="Yearly values of the customers that have one, together."
    )
    worth_count: Mapped[int] = mapped_column(server_default=text("0"), comment="So many have one.")
    breaks: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Bounds of the legends' classes by layer and resolution."
    )
    refreshed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    offered: Mapped[str] = mapped_column(
        server_default=text("''"),
        comment="What the prospects for phones were picked from: rates, territories and regions.",
    )


class OfferedProspect(Base):
    """A prospect that phones hold: one of the best of its territory. Written by `density.offering` alone."""

    __tablename__ = "offered_prospect"

    id: Mapped[UUID] = mapped_column(primary_key=True, comment="Of the prospect.")
    rev: Mapped[int] = mapped_column(BigInteger, server_default=text("1"), comment="Revision, +1 for each change.")
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(comment="`shop=bakery`")
    kind_words: Mapped[dict[str, str]] = mapped_column(JSONB, comment="What people call the kind, by language.")
    street: Mapped[str | None]
    postcode: Mapped[str | None]
    city: Mapped[str | None]
    phone: Mapped[str | None]
    opening_hours: Mapped[str | None]
    credit: Mapped[str] = mapped_column(comment="Whose data it is.")
    pin: Mapped[WKBElement] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    territory_id: Mapped[UUID | None] = mapped_column(index=True, comment="Null: ground that no territory covers.")
    deleted_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="It is a customer or a lead now, or others are better."
    )


class WhiteSpaceAction(Base):
    """Hexagons or prospects that somebody made into leads, tasks or wanted visits at one stroke."""

    __tablename__ = "white_space_action"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kind: Mapped[str] = mapped_column(comment="leads, tasks or visits.")
    by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    counts: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="What was made, and what was left out and why."
    )
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    __table_args__ = (CheckConstraint("kind in ('leads', 'tasks', 'visits')", name="kind"),)


class WhiteSpaceItem(Base):
    """One thing that an action made; of a lead also the prospect that it was."""

    __tablename__ = "white_space_item"

    action_id: Mapped[UUID] = mapped_column(ForeignKey("white_space_action.id", ondelete="CASCADE"), primary_key=True)
    row_id: Mapped[UUID] = mapped_column(primary_key=True, index=True, comment="Of the lead, activity or demand.")
    prospect_id: Mapped[UUID | None] = mapped_column(index=True)
    account_id: Mapped[UUID | None] = mapped_column(index=True)
    cell: Mapped[int | None] = mapped_column(BigInteger, comment="The hexagon that a task is about.")
