"""Tables of roads."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Index, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base


class Contraction(StrEnum):
    """How far the second half of a graph is."""

    WAITING = "waiting"
    DONE = "done"
    GIVEN_UP = "given_up"
    """It took too long or failed; the graph answers as it is."""


class JoinState(StrEnum):
    """Where a joined graph stands."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class RoadGraph(Base):
    """The road graph of a region. The files lie in the home of each machine that built it."""

    __tablename__ = "road_graph"

    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), primary_key=True)
    folder: Mapped[str] = mapped_column(comment="Under the graphs' folder: region's name, then hash and profile.")
    algorithm: Mapped[str] = mapped_column(comment="`MLD` or `CH`.")
    profile: Mapped[str] = mapped_column(comment="`car`")
    built_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    build_s: Mapped[float] = mapped_column(comment="Seconds that building took.")
    contraction: Mapped[str] = mapped_column(server_default=Contraction.WAITING.value)
    trouble: Mapped[str] = mapped_column(server_default="", comment="Why contraction or the last build failed.")


class RoadJoin(Base):
    """The roads of several regions in one graph, so that drives cross their borders."""

    __tablename__ = "road_join"

    key: Mapped[str] = mapped_column(primary_key=True, comment="The regions' names in order, with `+` between them.")
    names: Mapped[list[str]] = mapped_column(ARRAY(Text))
    state: Mapped[str] = mapped_column(server_default=JoinState.WAITING.value)
    algorithm: Mapped[str | None]
    built_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    build_s: Mapped[float | None]
    trouble: Mapped[str] = mapped_column(server_default="")


class RoadServer(Base):
    """A road server elsewhere; at most one is asked."""

    __tablename__ = "road_server"

    kind: Mapped[str] = mapped_column(primary_key=True, comment="`osrm` or `valhalla`.")
    url: Mapped[str]
    profile: Mapped[str] = mapped_column(comment="`driving` of OSRM, `auto` of Valhalla.")
    is_on: Mapped[bool] = mapped_column(server_default=text("false"))
    goes_first: Mapped[bool] = mapped_column(server_default=text("false"), comment="Asked although own roads exist.")
    timeout_s: Mapped[float] = mapped_column(server_default=text("10"))
    table_points: Mapped[int] = mapped_column(server_default=text("100"), comment="Points that it takes in a table.")
    trouble: Mapped[str] = mapped_column(server_default="")
    quiet_until: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="Not asked before, because it did not answer."
    )

    __table_args__ = (Index("uq_road_server_on", "is_on", unique=True, postgresql_where=text("is_on")),)


class RoadFactor(Base):
    """How much longer drives in a region take at an hour of the week than its roads say."""

    __tablename__ = "road_factor"

    region: Mapped[str] = mapped_column(primary_key=True, comment="The region's name: it outlives its extracts.")
    weekday: Mapped[int] = mapped_column(SmallInteger, primary_key=True, comment="0 is Monday.")
    hour: Mapped[int] = mapped_column(SmallInteger, primary_key=True, comment="On the driver's clock, at departure.")
    factor: Mapped[float]
    drives: Mapped[int] = mapped_column(comment="Recorded drives it was learned from.")
    learned_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))

    __table_args__ = (
        CheckConstraint("weekday between 0 and 6 and hour between 0 and 23", name="hour"),
        CheckConstraint("factor between 0.7 and 2", name="factor"),
    )
