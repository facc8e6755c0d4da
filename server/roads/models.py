"""Tables of roads."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base


class RoadGraph(Base):
    """The road graph of a region. The files lie in the home of each machine that built it."""

    __tablename__ = "road_graph"

    region_id: Mapped[UUID] = mapped_column(ForeignKey("region.id", ondelete="CASCADE"), primary_key=True)
    folder: Mapped[str] = mapped_column(comment="Under the graphs' folder: region's name, then hash and profile.")
    algorithm: Mapped[str] = mapped_column(comment="`MLD` or `CH`.")
    profile: Mapped[str] = mapped_column(comment="`car`")
    built_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    build_s: Mapped[float] = mapped_column(comment="Seconds that building took.")
