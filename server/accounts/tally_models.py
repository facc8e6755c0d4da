"""Tables of the counts of accounts that the map's tiles show; see `tallying`."""

from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, Integer, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from server.kit.database import Base


class Parts:
    """What counts are kept by."""

    status: Mapped[str]
    account_class: Mapped[str | None]
    owner_id: Mapped[UUID | None]
    territory_id: Mapped[UUID | None]


class Spot(Parts, Base):
    """A site with a pin as it was last counted."""

    __tablename__ = "account_spot"

    site_id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[UUID]
    square: Mapped[int] = mapped_column(BigInteger, index=True, comment="Of the finest level: see tile_square.")
    x: Mapped[int] = mapped_column(Integer, comment="Column of the square.")
    y: Mapped[int] = mapped_column(Integer, comment="Row of the square, from the north.")
    site_territory_id: Mapped[UUID | None] = mapped_column(comment="The site's own.")

    __table_args__ = (
        Index("ix_account_spot_of_account", "account_id", postgresql_include=["square", "site_id"]),
        Index(
            "ix_account_spot_elsewhere",
            "site_territory_id",
            postgresql_where=text("site_territory_id is distinct from territory_id"),
        ),
    )


class Tally(Parts, Base):
    """How many sites lie in a square of the map, by what is asked most."""

    __tablename__ = "account_tally"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, comment="2^level squares along the world.")
    square: Mapped[int] = mapped_column(BigInteger)
    sites: Mapped[int] = mapped_column(Integer)
    x: Mapped[int] = mapped_column(BigInteger, comment="Sum of their columns in the finest level.")
    y: Mapped[int] = mapped_column(BigInteger, comment="Sum of their rows.")

    __table_args__ = (
        Index(
            "uq_account_tally",
            "level",
            "square",
            "status",
            "account_class",
            "owner_id",
            "territory_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_account_tally_empty", "level", postgresql_where=text("sites = 0")),
    )


class Changed(Base):
    """A site, or an account with its sites, whose counts are not true any more; triggers write it (migration 0107),
    counting takes it away."""

    __tablename__ = "account_changed"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    site_id: Mapped[UUID | None]
    account_id: Mapped[UUID | None] = mapped_column(comment="Whose sites, all that there are by then.")
