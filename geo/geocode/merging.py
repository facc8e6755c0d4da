"""Several address indexes as one."""

from collections.abc import Sequence
from dataclasses import replace

from geo.geocode.content import Content, PlaceRow, PoiRow, StreetRow


def merged(contents: Sequence[Content]) -> tuple[Content, list[int]]:
    """Put indexes one after the other.

    Parameters
    ----------
    contents : sequence of Content
        Each with places numbered from 0.

    Returns
    -------
    tuple of Content and list of int
        The joint index, and the position of each index's first street in it.
    """
    if len(contents) == 1:
        return contents[0], [0]
    places: list[PlaceRow] = []
    streets: list[StreetRow] = []
    pois: list[PoiRow] = []
    firsts = []
    for content in contents:
        by = len(places)
        firsts.append(len(streets))
        places.extend(content.places)
        streets.extend(replace(s, places=tuple(p + by for p in s.places)) for s in content.streets)
        pois.extend(replace(p, places=tuple(i + by for i in p.places)) for p in content.pois)
    return Content(places, streets, pois), firsts
