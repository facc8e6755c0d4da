"""What two sides make of one event: the three-way merge of its document, field by field. Pure."""

from dataclasses import dataclass

from server.activities.agenda.ical import Document
from server.records.merging import Clash, Current, Delta, Json, Rules, merge

TIMES = frozenset({"starts_at", "ends_at", "is_all_day", "zone", "rrule"})
RULES = Rules(groups=(TIMES,))
FIRST, LATER = 1, 2


@dataclass(frozen=True)
class Agreed:
    """What both sides are to have, and what could not be brought together: ours stands, theirs is kept."""

    document: Document
    clashes: tuple[Clash, ...]


def agreed(base: Document, ours: Document, theirs: Document) -> Agreed:
    """Bring two versions of a document together that were once the same.

    A field that one side changed has that side's value; one that both changed differently keeps ours and is a clash.
    Times only make sense together: they are one field.
    """
    names = sorted({*base, *ours, *theirs})
    changed_here = {name: LATER for name in names if ours.get(name) != base.get(name)}
    deltas = {name: Delta(base.get(name), theirs.get(name)) for name in names if theirs.get(name) != base.get(name)}
    current: dict[str, Json] = {name: ours.get(name) for name in names}
    outcome = merge(Current(current, LATER, changed_here), FIRST, deltas, RULES)
    found = {**current, **outcome.apply}
    kept = {name: value for name, value in found.items() if value is not None or not name.startswith("repeat:")}
    return Agreed(kept, outcome.clashes)
