"""Which leads are reached from a place within some minutes, by the roads."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Uuid, any_, func, literal, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.reaching import box_around, trips_from
from server.kit.filtering import Reach
from server.leads.models import Lead


@dataclass(frozen=True)
class Reaching:
    """Answers the `within ... minutes of` of one filter."""

    session: Session

    def condition(self, reach: Reach) -> ColumnElement[bool]:
        """The lead is reached."""
        limit_s = reach.minutes * 60
        box = box_around(reach.point, limit_s)
        envelope = func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, 4326)
        rows: list[tuple[UUID, float, float]] = [
            (row[0], row[1], row[2])
            for row in self.session.execute(
                select(Lead.id, func.ST_X(Lead.pin), func.ST_Y(Lead.pin)).where(
                    Lead.deleted_at.is_(None), Lead.pin.op("&&")(envelope)
                )
            )
        ]
        trips = trips_from(self.session, reach.point, [LonLat(lon, lat) for _id, lon, lat in rows])
        found = [row[0] for row, trip in zip(rows, trips, strict=True) if trip.drive_s <= limit_s]
        return Lead.id == any_(literal(found, ARRAY(Uuid)))
