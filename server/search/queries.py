"""Finds anything by a few words: a bounded set of candidates first, the reader's rights on those, then the ranking."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Integer,
    Numeric,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.accounts.queries import Reader
from server.auth.access import Scope
from server.auth.roles import Level
from server.search.kinds import KINDS, Kind
from server.search.models import Entry, Opened

CANDIDATES = 400
ASKED = 200
"""So few entries are asked one by one whether somebody may see them."""
LOOKED = 2_000
"""Words that are nearly so are dear to look for, so many entries are judged rather than to look again."""
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


@dataclass(frozen=True)
class Question:
    """What decides the statement of a question; its words are its values, so that it is drafted once for many."""

    slips: tuple[bool, ...]
    """Of every word, whether what is nearly like it fits too."""
    phone: bool = False
    """Whether the words may be a phone number."""
    listed: bool = False
    """Whether the entries with that number are known already."""

    def fits(self, kind: Kind) -> ColumnElement[bool]:
        """Whether an entry of a kind fits: every word stands there, or nearly so; or it has the phone number."""
        conditions = and_(
            *(
                said(f"word_{n}").op("<%")(Entry.words) if slips else Entry.words.like(said(f"like_{n}"))
                for n, slips in enumerate(self.slips)
            )
        )
        if not self.phone or not kind.has_phones:
            return conditions
        if self.listed:
            return conditions | (Entry.row_id == any_(cast(said(f"numbers_{kind.name}"), ARRAY(Uuid))))
        return conditions | and_(Entry.digits != "", Entry.digits.like(said("digits")))

    def in_the_open(self) -> ColumnElement[bool]:
        """Every word, or one nearly like it, stands in what the reader sees anyway: no hit betrays more."""
        shown = func.search_text(func.concat_ws(" ", Entry.title, Entry.detail))
        return and_(
            *(shown.like(said(f"like_{n}")) | said(f"word_{n}").op("<%")(shown) for n in range(len(self.slips)))
        )


def said(name: str) -> BindParameter[str]:
    """A text of `values_of`."""
    return bindparam(name, type_=Text())


def search(session: Session, scope: Scope, words: str, *, limit: int = 20) -> list[Hit]:
    """The best hits among what somebody may see: numbers and phones first, then names; of those that fit equally well
    by kind, and one's own before others'.
    """
    asked = [word for word in words.split()[:MOST_WORDS] if word]
    known = tuple(kind for kind in KINDS if scope.may(kind.permission))
    if not asked or not known or len("".join(asked)) < 2:
        return []
    folded = session.scalar(select(func.search_text(" ".join(asked)))) or ""
    alike = folded.split()
    if not alike:
        return []
    values = values_of(folded, alike)
    digits = "".join(filter(str.isdigit, words)).lstrip("0")
    question = Question((False,) * len(alike))
    if len(digits) >= 5 and not any(map(str.isalpha, words)):
        values["digits"] = f"%{digits}%"
        listed = numbers(session, known, values)
        values |= listed
        question = replace(question, phone=True, listed=bool(listed))
    found = ranked(session, scope, known, question, values, limit)
    if len(found) < FEW and any(map(may_slip, alike)):
        session.execute(select(func.set_config("pg_trgm.word_similarity_threshold", NEARLY, True)))
        seen = {(hit.kind.name, hit.row_id) for hit in found}
        more = ranked(session, scope, known, Question(tuple(map(may_slip, alike))), values, limit)
        found += [hit for hit in more if (hit.kind.name, hit.row_id) not in seen]
    return found[:limit]


def values_of(folded: str, words: list[str]) -> dict[str, Any]:
    """What a drafted statement is run with."""
    values = {f"word_{n}": word for n, word in enumerate(words)}
    values |= {f"like_{n}": f"%{pattern(word)}%" for n, word in enumerate(words)}
    whole = rf"(^|\s){escaped(folded)}(\s|$)"
    return values | {
        "folded": folded,
        "whole": whole,
        "begin": f"{pattern(folded)}%",
        "first": f"%{pattern(words[0])}%",
    }


def pattern(text: str) -> str:
    """A text inside a pattern of `like`."""
    return re.sub(r"([\\%_])", r"\\\1", text)


def numbers(session: Session, known: tuple[Kind, ...], values: dict[str, Any]) -> dict[str, str]:
    """The entries whose phone numbers contain the digits, by kind, looked up once for all; nothing of many."""
    named = Entry.digits != "", Entry.digits.like(values["digits"])
    some = select(Entry.kind, Entry.row_id).where(*named).limit(CANDIDATES + 1).subquery()
    rows = session.execute(select(some.c.kind, cast(func.array_agg(some.c.row_id), Text)).group_by(some.c.kind))
    found = {f"numbers_{kind}": ids for kind, ids in rows}
    if sum(map(how_many, found.values())) > CANDIDATES:
        return {}
    return {f"numbers_{kind.name}": "{}" for kind in known if kind.has_phones} | found


def how_many(ids: str) -> int:
    """How many ids there are."""
    return ids.count(",") + 1 if len(ids) > 2 else 0


def may_slip(word: str) -> bool:
    """Whether what is nearly like a word is looked for: a number is nearly like all its neighbours (K00000042), an
    address like all of its domain.
    """
    return len(word) > 3 and "@" not in word and 2 * sum(map(str.isdigit, word)) < len(word)


def asks(scope: Scope, kind: Kind) -> bool:
    """Whether entries are asked if the reader may see them."""
    return kind.asks_all or scope.level(kind.permission) < Level.ALL


def named(kind: Kind) -> ColumnElement[str]:
    """A kind's name, written so that the planner sees the kind's own index."""
    return literal_column(f"'{kind.name}'")


def fitting(kind: Kind, question: Question, is_veiled: bool) -> Select[Any]:
    """The entries of a kind that fit."""
    asked: Select[Any] = select(Entry.__table__).where(Entry.kind == named(kind), question.fits(kind))
    return asked.where(question.in_the_open()) if is_veiled else asked


@lru_cache(maxsize=256)
def looked(question: Question, kinds: tuple[tuple[Kind, bool, int], ...]) -> Select[Any]:
    """Of each kind the ids of a bounded number of entries that fit, whoever may see them; the flags tell which are to
    stand in the open.
    """
    each = (fitting(kind, question, is_veiled).limit(most) for kind, is_veiled, most in kinds)
    some = (one.with_only_columns(Entry.row_id).scalar_subquery() for one in each)
    ids: list[ColumnElement[Any]] = [cast(func.array(one), Text) for one in some]
    return select(*ids)


@lru_cache(maxsize=256)
def candidates(question: Question, kind: Kind, is_veiled: bool, reader: Reader) -> Select[Any]:
    """Of one kind the ids of a bounded number of entries that fit and that a reader may see.

    What fits comes from the index and nowhere else (the offset bars other ways), until enough of it is the reader's.
    """
    fits = fitting(kind, question, is_veiled).offset(0).subquery("fitting")
    seen = select(fits.c.row_id).where(kind.seen(reader.scope, fits.c)).limit(CANDIDATES)
    return select(cast(func.array(seen.scalar_subquery()), Text))


def ranked(
    session: Session, scope: Scope, known: tuple[Kind, ...], question: Question, values: dict[str, Any], limit: int
) -> list[Hit]:
    """The best of the candidates of every kind.

    Of a kind of which little fits each entry is asked by itself whether the reader may see it, else all that they see
    is gathered.
    """
    found: list[tuple[Any, Hit]] = []
    most = LOOKED if any(question.slips) else CANDIDATES
    kinds = tuple(
        (kind, bool(scope.hidden(kind.name) & SEARCHED), most if asks(scope, kind) else CANDIDATES) for kind in known
    )
    reader = Reader.of(scope)
    there = session.execute(looked(question, kinds), values).one()
    for place, ((kind, is_veiled, _), ids) in enumerate(zip(kinds, there, strict=True)):
        is_asked, count = asks(scope, kind), how_many(ids)
        if is_asked and count == most:
            ids = session.scalar(candidates(question, kind, is_veiled, reader), values)
            is_asked, count = False, how_many(ids)
        if not count:
            continue
        statement = best(kind, reader if is_asked else None, is_few=count <= ASKED)
        rows = session.execute(statement, {**values, "ids": ids, "me": scope.user_id, "limit": limit})
        for row in rows:
            order = (-row.score, place, not row.is_own, -row.at.timestamp())
            found.append((order, Hit(kind, row.row_id, row.title, row.detail)))
    return [hit for _, hit in sorted(found, key=lambda one: one[0])]


@lru_cache(maxsize=256)
def best(kind: Kind, reader: Reader | None, *, is_few: bool) -> Select[Any]:
    """The best of entries that are known by their ids; of a reader among the first ones that they may see."""
    given = func.unnest(cast(said("ids"), ARRAY(Uuid))).table_valued("id", with_ordinality="nth").render_derived()
    read = select(Entry.__table__, given.c.nth).join(given, given.c.id == Entry.row_id).where(Entry.kind == named(kind))
    entry = read.offset(0).subquery("given").c  # read before rights are asked, or all that there is would be asked
    known: Select[Any] = select(*entry, func.search_text(entry.title).label("folded"))
    if reader:
        known = known.where((kind.one if is_few else kind.seen)(reader.scope, entry))
    few = known.order_by(entry.nth).limit(CANDIDATES).subquery()
    folded, whole, title = said("folded"), said("whole"), few.c.folded
    number = few.c.words.op("~")(whole)
    begins = title.like(said("begin")) | title.op("~")(whole)
    score = (
        case((number, 4.0), else_=0.0)
        + case((title == folded, 4.0), (begins, 2.0), else_=0.0)
        + case((title.like(said("first")), 1.0), else_=0.0)
        + func.round(cast(func.word_similarity(folded, few.c.words), Numeric), 1)
    ).label("score")
    is_own = func.coalesce(few.c.owner_id == bindparam("me", type_=Uuid()), False).label("is_own")
    return (
        select(few.c.row_id, few.c.title, few.c.detail, score, is_own, few.c.at)
        .order_by(score.desc(), is_own.desc(), few.c.at.desc(), few.c.row_id)
        .limit(bindparam("limit", type_=Integer()))
    )


def escaped(text: str) -> str:
    """A text inside a regular expression."""
    return "".join(f"\\{one}" if not one.isalnum() and not one.isspace() else one for one in text)


def recent(session: Session, scope: Scope, *, limit: int = 8) -> list[Hit]:
    """What somebody lately opened, as far as they still may see it."""
    found = []
    for kind in KINDS:
        if not scope.may(kind.permission):
            continue
        seen = kind.one(scope, Entry.__table__.c) if asks(scope, kind) else true()
        rows = session.execute(
            select(Entry.row_id, Entry.title, Entry.detail, Opened.at)
            .join(Opened, and_(Opened.kind == Entry.kind, Opened.row_id == Entry.row_id))
            .where(Opened.user_id == scope.user_id, Entry.kind == kind.name, seen)
            .order_by(Opened.at.desc())
            .limit(limit)
        )
        found += [(row.at, Hit(kind, row.row_id, row.title, row.detail)) for row in rows]
    return [hit for _, hit in sorted(found, key=lambda one: one[0], reverse=True)][:limit]
