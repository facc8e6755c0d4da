"""Where objects are, for the filter language: by car, as the crow flies, inside a polygon, of a territory."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from geoalchemy2 import Geography
from sqlalchemy import ColumnElement, Select, cast, func, or_, select
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery
from geo.types import LonLat
from server.accounts.models import Account, Site
from server.accounts.reaching import Reaching
from server.geocoding import service as geocoding
from server.kit.filtering import FilterError
from server.kit.filtering.nodes import Inside, Named, Near, Place, Reach, Within
from server.territories.models import Territory

_M_PER_DEGREE = 111_195.0


@dataclass
class Around:
    """Answers what a filter asks about places; names of accounts are looked up among those the reader may see."""

    session: Session
    accounts: Select[Account]
    """The accounts that the reader may see."""
    reaching: Reaching

    def reached(self, reach: Reach) -> ColumnElement[bool]:
        """Some place of the object is reached by car."""
        return self.reaching.condition(self.point(reach.place, reach.position), reach.minutes)

    def near(self, near: Near) -> ColumnElement[bool]:
        """Some place of the object lies within some metres."""
        lon, lat = self.point(near.place, near.position)
        spot = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)
        high = near.metres / _M_PER_DEGREE * 1.01
        wide = high / func.greatest(func.cos(func.radians(func.least(abs(lat) + high, 89.0))), 0.01)
        box = func.ST_Expand(spot, wide, high)
        spots = self.reaching.spots
        away = func.ST_Distance(cast(spots.pin, Geography), cast(spot, Geography))
        return spots.of(spots.pin.op("&&")(box) & (away <= near.metres))

    def inside(self, inside: Inside) -> ColumnElement[bool]:
        """Some place of the object lies in the polygon."""
        corners = ", ".join(f"{lon!r} {lat!r}" for lon, lat in (*inside.ring, inside.ring[0]))
        area = func.ST_MakeValid(func.ST_GeomFromText(f"POLYGON(({corners}))", 4326))
        return self.reaching.spots.of(func.ST_Covers(area, self.reaching.spots.pin))

    def of_territory(self, within: Within) -> ColumnElement[bool]:
        """The object, or one of its places, is in the territory or in one below it."""
        found = select(Territory.id).where(
            Territory.deleted_at.is_(None), func.lower(Territory.name) == within.name.lower()
        )
        if self.session.scalars(found).first() is None:
            names = list(self.session.scalars(select(Territory.name).where(Territory.deleted_at.is_(None))))
            raise no_such(f"there is no territory “{within.name}”", within.name, names, within.position)
        areas = select(Territory.id).where(
            Territory.deleted_at.is_(None), or_(Territory.id.in_(found), Territory.parent_id.in_(found))
        )
        return self.reaching.spots.in_areas(areas)

    def point(self, place: Place, position: int) -> LonLat:
        """The point of a place; refuses a name that nobody knows."""
        if isinstance(place, LonLat):
            return place
        found = self._account(place) if place.kind == "account" else self._place(place)
        if found is None:
            raise FilterError(
                f"there is no account “{place.name}” with a point on the map"
                if place.kind == "account"
                else f"there is no place “{place.name}” with a point on the map",
                place.position or position,
                help="Write its number or exact name, or longitude and latitude: 9.52, 47.14",
            )
        return found

    def _account(self, named: Named) -> LonLat | None:
        wanted = named.name.strip().lower()
        fits = or_(Account.number == named.name.strip(), func.search_text(Account.name) == func.search_text(wanted))
        row: Any = self.session.execute(
            self.accounts.where(fits)
            .join(Site, (Site.account_id == Account.id) & Site.deleted_at.is_(None) & Site.pin.is_not(None))
            .with_only_columns(func.ST_X(Site.pin), func.ST_Y(Site.pin))
            .order_by((Account.number == named.name.strip()).desc().nulls_last(), Site.is_main.desc(), Site.id)
            .limit(1)
        ).first()
        return LonLat(*row) if row else None

    def _place(self, named: Named) -> LonLat | None:
        return geocoding.locate(self.session, AddressQuery(query=named.name)).point


def no_such(message: str, name: str, names: list[str], position: int) -> FilterError:
    """There is nothing of a name, with what was perhaps meant."""
    near = get_close_matches(name.lower(), [one.lower() for one in names], n=1)
    meant = next((one for one in names if near and one.lower() == near[0]), None)
    there = f"There are: {', '.join(sorted(names)[:20])}." if names else ""
    help = f"Did you mean “{meant}”?" if meant else there
    return FilterError(message, position, help=help, suggestions=[meant] if meant else [])
