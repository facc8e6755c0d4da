"""Finds anything by a few words: a bounded set of candidates first, the reader's rights on those, then the ranking."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Numeric,
    Select,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.roles import Level
from server.search.kinds import KINDS, Kind
from server.search.models import Entry, Opened

CANDIDATES = 400
FEW = 5
"""With fewer exact hits than this, words that are nearly so are looked for too."""
NEARLY = "0.45"
"""How alike words are that are nearly so: `hotle` and `hotel` share half of their trigrams."""
MOST_WORDS = 6
SEARCHED = frozenset({"phone", "email", "phones", "mails", "emails", "requester"})
"""Fields that are words of an entry without being shown with it."""


@dataclass(frozen=True)
class Hit:
    """Something that was found."""

    kind: Kind
    row_id: UUID
    title: str
    detail: str | None

    @property
    def path(self) -> str:
        """Its page."""
        return self.kind.path.format(id=self.row_id)


def search(session: Session, scope: Scope, words: str, *, limit: int = 20) -> list[Hit]:
    """The best hits among what somebody may see: numbers and phones first, then names; of those that fit equally well
    by kind, and one's own before others'.
    """
    asked = [word for word in words.split()[:MOST_WORDS] if word]
    known = [kind for kind in KINDS if scope.may(kind.permission)]
    if not asked or not known or len("".join(asked)) < 2:
        return []
    folded = session.scalar(select(func.search_text(" ".join(asked)))) or ""
    found = ranked(session, scope, known, partial(exact, folded, words), folded, limit)
    if len(found) < FEW and any(map(may_slip, folded.split())):
        session.execute(select(func.set_config("pg_trgm.word_similarity_threshold", NEARLY, True)))
        seen = {(hit.kind.name, hit.row_id) for hit in found}
        more = ranked(session, scope, known, lambda _: nearly(folded), folded, limit)
        found += [hit for hit in more if (hit.kind.name, hit.row_id) not in seen]
    return found[:limit]


def exact(folded: str, words: str, kind: Kind) -> ColumnElement[bool]:
    """Every word stands there; or the words are a phone number, written in whatever way."""
    conditions: ColumnElement[bool] = and_(*(Entry.words.contains(word, autoescape=True) for word in folded.split()))
    digits = "".join(filter(str.isdigit, words)).lstrip("0")
    if kind.has_phones and len(digits) >= 5 and not any(map(str.isalpha, words)):
        conditions = or_(conditions, and_(Entry.digits != "", Entry.digits.contains(digits)))
    return conditions


def may_slip(word: str) -> bool:
    """Whether what is nearly like a word is looked for: a number is nearly like all its neighbours (K00000042), an
    address like all of its domain.
    """
    return len(word) > 3 and "@" not in word and 2 * sum(map(str.isdigit, word)) < len(word)


def nearly(folded: str) -> ColumnElement[bool]:
    """Every longer word stands there or nearly so; short ones, numbers and addresses as written."""
    parts: list[ColumnElement[bool]] = []
    for word in folded.split():
        if may_slip(word):
            parts.append(literal(word).op("<%")(Entry.words))
        else:
            parts.append(Entry.words.contains(word, autoescape=True))
    return and_(*parts) if parts else false()


def in_the_open(folded: str) -> ColumnElement[bool]:
    """Every word, or one nearly like it, stands in what the reader sees of the entry anyway: no hit betrays more."""
    shown = func.search_text(func.concat_ws(" ", Entry.title, Entry.detail))
    return and_(*(shown.contains(word, autoescape=True) | literal(word).op("<%")(shown) for word in folded.split()))


def asks(scope: Scope, kind: Kind) -> bool:
    """Whether entries are asked if the reader may see them."""
    return kind.asks_all or scope.level(kind.permission) < Level.ALL


def candidates(scope: Scope, kind: Kind, fits: ColumnElement[bool], folded: str) -> Select[Any]:
    """A bounded number of entries of one kind that fit, among those that the reader may see."""
    name: Any = bindparam(None, kind.name, literal_execute=True)  # so that the planner sees the kind's own index
    asked = select(Entry.__table__).where(Entry.kind == name, fits)
    if scope.hidden(kind.name) & SEARCHED:
        asked = asked.where(in_the_open(folded))
    if not asks(scope, kind):
        return asked.limit(CANDIDATES)
    # What fits comes from the index and nowhere else (the offset bars other ways), until enough of it is the reader's.
    fitting = asked.offset(0).subquery("fitting")
    return select(fitting).where(kind.seen(scope, fitting.c)).limit(CANDIDATES)


def ranked(
    session: Session,
    scope: Scope,
    known: list[Kind],
    fits: Callable[[Kind], ColumnElement[bool]],
    folded: str,
    limit: int,
) -> list[Hit]:
    """The best of the candidates of every kind."""
    found: list[tuple[Any, Hit]] = []
    for place, kind in enumerate(known):
        few = candidates(scope, kind, fits(kind), folded).subquery()
        title = func.search_text(few.c.title)
        first = folded.split()[0]
        whole = literal(rf"(^|\s){escaped(folded)}(\s|$)")
        number = few.c.words.op("~")(whole)
        begins = title.startswith(folded, autoescape=True) | title.op("~")(whole)
        score = (
            case((number, 4.0), else_=0.0)
            + case((title == folded, 4.0), (begins, 2.0), else_=0.0)
            + case((title.contains(first, autoescape=True), 1.0), else_=0.0)
            + func.round(cast(func.word_similarity(folded, few.c.words), Numeric), 1)
        ).label("score")
        is_own = func.coalesce(few.c.owner_id == scope.user_id, False).label("is_own")
        rows = session.execute(
            select(few.c.row_id, few.c.title, few.c.detail, score, is_own, few.c.at)
            .order_by(score.desc(), is_own.desc(), few.c.at.desc(), few.c.row_id)
            .limit(limit)
        )
        for row in rows:
            order = (-row.score, place, not row.is_own, -row.at.timestamp())
            found.append((order, Hit(kind, row.row_id, row.title, row.detail)))
    return [hit for _, hit in sorted(found, key=lambda one: one[0])]


def escaped(text: str) -> str:
    """A text inside a regular expression."""
    return "".join(f"\\{one}" if not one.isalnum() and not one.isspace() else one for one in text)


def recent(session: Session, scope: Scope, *, limit: int = 8) -> list[Hit]:
    """What somebody lately opened, as far as they still may see it."""
    found = []
    for kind in KINDS:
        if not scope.may(kind.permission):
            continue
        seen = kind.seen(scope, Entry.__table__.c) if asks(scope, kind) else true()
        rows = session.execute(
            select(Entry.row_id, Entry.title, Entry.detail, Opened.at)
            .join(Opened, and_(Opened.kind == Entry.kind, Opened.row_id == Entry.row_id))
            .where(Opened.user_id == scope.user_id, Entry.kind == kind.name, seen)
            .order_by(Opened.at.desc())
            .limit(limit)
        )
        found += [(row.at, Hit(kind, row.row_id, row.title, row.detail)) for row in rows]
    return [hit for _, hit in sorted(found, key=lambda one: one[0], reverse=True)][:limit]
