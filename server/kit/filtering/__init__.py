"""The filter language: one text that filters every list, map, segment, export and API.

`class = A and (city = "Vaduz" or value > 5000) and not visited since 30 days`
`orders.sum(amount where state = paid) over 24 months > 5000 and contact with (role = buyer and language = de)`
`created in last quarter and in territory "North" and within 20 minutes of "Vaduz" and in segment "Bakers"`

`parse` turns text into a tree (errors carry the position), `write` turns the tree into its one canonical text,
`to_json` and `from_json` into what chips show. `compile_filter` turns the tree into a SQLAlchemy condition over a
`Vocabulary`. Nothing is ever built from strings. A condition is true or it is not: see `compiler`.

How a room takes part:

* it declares its `Field`s in `fields.py` and compiles with
  `compile_filter(parse(text), vocabulary(session, scope, "ticket", fields(today), today=today))`;
* rows of other rooms that hang on its objects are `Relation`s, declared (not coded) in the other room's `fields.py`
  as a function `(session, scope, today) -> Relation | None` that starts at that room's `visible_to(scope)`;
* `server/segments/catalogue.py` names the room's `Subject` with its relations; `app` and `worker` hand that
  catalogue in, so that no lower room imports a higher one;
* a list asks `guard.check` before it runs somebody's filter, and counts with `guard.total`.
"""

from server.kit.filtering.catalogue import Catalogue, Subject, catalogue, use, vocabulary
from server.kit.filtering.compiler import compile_filter
from server.kit.filtering.fields import Field, Kind, Relation, Vocabulary
from server.kit.filtering.grammar import parse
from server.kit.filtering.nodes import FilterError, Reach
from server.kit.filtering.wire import fits_phone, from_json, to_json
from server.kit.filtering.writing import write

__all__ = [
    "Catalogue",
    "Field",
    "FilterError",
    "Kind",
    "Reach",
    "Relation",
    "Subject",
    "Vocabulary",
    "catalogue",
    "compile_filter",
    "fits_phone",
    "from_json",
    "parse",
    "to_json",
    "use",
    "vocabulary",
    "write",
]
