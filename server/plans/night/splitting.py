"""A company cut into parts that can be planned apart: by territory, each rep in exactly one part."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.models import User
from server.territories.queries import active, members_on


@dataclass(frozen=True)
class Share:
    """A territory's reps, planned together."""

    name: str
    rep_ids: tuple[UUID, ...]


def split(session: Session, reps: Sequence[User], day: date) -> list[Share]:
    """The parts of a night, in the order of their names.

    A rep who works several territories is planned with the one that fewest others work, so that no territory is left
    without anybody; a rep without a territory is a part alone. Which account is whose follows from `due.worked`.
    """
    names = {territory.id: territory.name for territory in active(session)}
    wanted = {rep.id: rep for rep in reps}
    places: dict[UUID, list[UUID]] = {}
    crowd: Counter[UUID] = Counter()
    for member in members_on(session, day):
        if member.user_id in wanted and member.territory_id in names:
            places.setdefault(member.user_id, []).append(member.territory_id)
            crowd[member.territory_id] += 1
    shares: dict[tuple[str, UUID], list[User]] = {}
    for rep in reps:
        theirs = places.get(rep.id)
        if theirs:
            place = min(theirs, key=lambda t: (crowd[t], names[t], t))
            shares.setdefault((names[place], place), []).append(rep)
        else:
            shares[(rep.name, rep.id)] = [rep]
    return [
        Share(name, tuple(rep.id for rep in sorted(shares[name, key], key=lambda rep: (rep.name, rep.id))))
        for name, key in sorted(shares)
    ]
