"""Tables of density: what tiles show, counted beforehand."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement
from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Index, Integer, Numeric, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base


class DensityCustomer(Base):
    """A customer's site as it was last counted."""

    __tablename__ = "density_customer"

    site_id: Mapped[UUID] = mapped_column(ForeignKey("site.id", ondelete="CASCADE"), primary_key=True)
    rev: Mapped[int] = mapped_column(BigInteger, comment="Revisions of site and account together when it was counted.")
    cells: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), comment="H3 cells in which it may lie (geo.density.spread)."
    )
    parts: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger), comment="Hundredths of it in each of these.")
    prospect_id: Mapped[UUID | None] = mapped_column(
        index=True, comment="The prospect that this customer is: same place, much the same name."
    )


class DensityCell(Base):
    """A hexagon with its counts. Coarser cells are sums of finer ones."""

    __tablename__ = "density_cell"
    __table_args__ = (Index("ix_density_cell_geom_resolution", "geom", "resolution", postgresql_using="gist"),)

    cell: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False, comment="H3 index.")
    resolution: Mapped[int] = mapped_column(SmallInteger, comment="H3 resolution.")
    prospects: Mapped[int] = mapped_column(Integer, comment="That are not customers yet.")
    customers: Mapped[Decimal] = mapped_column(
        Numeric(12, 2), comment="A customer whose place is unsure counts in parts; they add up to whole ones."
    )
    penetration: Mapped[float] = mapped_column(comment="Customers / (prospects + customers).")
    low: Mapped[float] = mapped_column(comment="Lower end of the 90 % Wilson interval.")
    high: Mapped[float] = mapped_column(comment="Upper end of the 90 % Wilson interval.")
    geom: Mapped[WKBElement] = mapped_column(Geometry("POLYGON", srid=3857, spatial_index=False))


class DensityState(Base):
    """What the cells were counted from; one row."""

    __tablename__ = "density_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, comment="Always 1.")
    inputs: Mapped[str] = mapped_column(comment="Fingerprint of regions, accounts and sites.")
    refreshed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
