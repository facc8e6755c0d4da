"""Links to navigation apps for routes and stops as pages and the API show them."""

from geo.types import LonLat
from routing.export import navigation
from routing.export.navigation import NavigationLink
from routing.roads import polyline
from server.plans.queries import RouteView, StopView


def to_stop(stop: StopView) -> tuple[NavigationLink, ...]:
    """Links that lead to a stop; to where the car stops, when that is known."""
    return navigation.to_place(_place(stop), stop.account_name)


def along_route(route: RouteView) -> tuple[NavigationLink, ...]:
    """Links that lead along a route's stops and to its end, in as many parts as each app needs."""
    return navigation.along([*map(_place, route.stops), LonLat(route.end.lon, route.end.lat)])


def _place(stop: StopView) -> LonLat:
    return stop.entry or stop.point or polyline.decode(stop.leg.polyline6)[-1]
