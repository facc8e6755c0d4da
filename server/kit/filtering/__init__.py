"""The filter language: one text that filters every list, map, export and API.

`class = A and (city = "Vaduz" or yearly_value > 5000) and last_visit < today - 30 days`

`within 20 minutes of 9.52, 47.14` asks for what is reached from a place, where a room knows places.

`parse` turns text into a tree (errors carry the position), `compile_filter` turns the tree into a SQLAlchemy
condition over a room's declared fields. Nothing is ever built from strings.
"""

from server.kit.filtering.compiler import Field, Kind, compile_filter
from server.kit.filtering.grammar import FilterError, Reach, parse

__all__ = ["Field", "FilterError", "Kind", "Reach", "compile_filter", "parse"]
