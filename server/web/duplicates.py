"""Duplicates: the queue, two accounts side by side with one decision, what was merged, and the rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request, Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.accounts import queries
from server.accounts.duplicates import merging
from server.accounts.duplicates import queue as duplicate_queue
from server.accounts.duplicates import rule as duplicate_rule
from server.accounts.duplicates.choices import BOTH, COLUMNS, FIELDS, proposed, proposed_winner
from server.accounts.duplicates.jobs import find_duplicates
from server.accounts.duplicates.merging import MergeWish
from server.accounts.duplicates.models import AccountMerge, PairState
from server.accounts.duplicates.queue import signs_of
from server.accounts.duplicates.resemblance import reasons
from server.accounts.models import Account, Site
from server.accounts.schemas import SiteRead
from server.activities.models import Visit
from server.auth.access import Scope, requires
from server.auth.models import User
from server.auth.roles import Level
from server.jobs import defer
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.records.joining import Choice
from server.web.forms import Sent, number, text
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render
from server.web.pairs import own_words

router = APIRouter(prefix="/duplicates", include_in_schema=False)

MergeAccounts = Annotated[Scope, requires("accounts:merge")]
ROWS = 50


@dataclass(frozen=True)
class Side:
    """One of two accounts, with what hangs on it."""

    account: Account
    sites: list[SiteRead]
    visits: int
    owner: str | None
    preferred_rep: str | None
    own: str | None
    """What the company's own fields hold, in words."""

    @property
    def place(self) -> SiteRead | None:
        """Its main site."""
        return next(iter(self.sites), None)


@dataclass(frozen=True)
class Line:
    """One field of two accounts."""

    name: str
    label: str
    values: tuple[Any, Any]
    """As they are shown: a text, tags, or amounts with their currency."""
    is_same: bool
    choice: Choice
    may_both: bool


@router.get("")
def show_queue(
    request: Request,
    scope: MergeAccounts,
    session: Db,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    searching: bool = False,
) -> Response:
    """The pairs that wait, the surest and most valuable first."""
    return render(
        request,
        "duplicates/queue.html",
        scope,
        pairs=duplicate_queue.waiting(session, scope, first=first, limit=ROWS),
        total=duplicate_queue.count(session, scope),
        run=duplicate_queue.last_run(session),
        first=first,
        rows=ROWS,
        searching=searching,
        **noted(request, session, scope),
    )


@router.post("/search")
def search(scope: MergeAccounts, session: Db) -> Response:
    """Search in the background."""
    defer(session, find_duplicates, key="accounts.find_duplicates")
    return go("/duplicates?searching=true")


def noted(request: Request, session: Session, scope: Scope) -> dict[str, Any]:
    """What was just done, so that it can be taken back."""
    merged = request.query_params.get("merged")
    apart = request.query_params.get("apart", "")
    done = None
    if merged:
        done = next((one for one in duplicate_queue.merges(session, scope) if str(one.merge.id) == merged), None)
    return {"merged": done, "apart": apart.split(",") if apart.count(",") == 1 else None}


@router.get("/merged")
def show_merged(request: Request, scope: MergeAccounts, session: Db, error: str | None = None) -> Response:
    """What people and the rule have merged."""
    return merged_page(request, scope, session)


def merged_page(
    request: Request, scope: Scope, session: Session, *, error: WaymarkError | None = None, kept: Any = ()
) -> Response:
    """The history of merges, perhaps with what an undo could not do."""
    found = duplicate_queue.merges(session, scope)
    batches: dict[UUID, int] = {}
    for one in found:
        if one.merge.batch_id and one.can_undo:
            batches[one.merge.batch_id] = batches.get(one.merge.batch_id, 0) + 1
    status = int(error.status) if error else 200
    return render(
        request, "duplicates/merged.html", scope, status=status, found=found, batches=batches, error=error, kept=kept
    )


@router.post("/merged/{merge_id}/undo")
def undo(request: Request, merge_id: UUID, scope: MergeAccounts, session: Db) -> Response:
    """Take a merge back; what was edited since stays and is named."""
    try:
        with attempt(session):
            undone = merging.undo(session, scope, merge_id)
    except WaymarkError as error:
        return merged_page(request, scope, session, error=error)
    if undone.kept:
        return merged_page(request, scope, session, kept=undone.kept)
    return go(f"/duplicates/{undone.merge.winner_id}/{undone.merge.loser_id}?undone=true")


@router.post("/merged/batches/{batch_id}/undo")
def undo_batch(request: Request, batch_id: UUID, scope: MergeAccounts, session: Db) -> Response:
    """Take all merges of one run of the rule back."""
    try:
        with attempt(session):
            undone = merging.undo_batch(session, scope, batch_id)
    except WaymarkError as error:
        return merged_page(request, scope, session, error=error)
    return merged_page(request, scope, session, kept=tuple(dict.fromkeys(k for one in undone for k in one.kept)))


@router.get("/rule")
def show_rule(request: Request, scope: MergeAccounts, session: Db) -> Response:
    """When accounts are merged without a person."""
    return rule_page(request, scope, session)


def rule_page(
    request: Request,
    scope: Scope,
    session: Session,
    *,
    threshold: float | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The rule, and how many pairs it would merge."""
    held = duplicate_rule.rule(session)
    tried = held.threshold if threshold is None else threshold
    return render(
        request,
        "duplicates/rule.html",
        scope,
        status=int(error.status) if error else 200,
        rule=held,
        threshold=tried,
        would_merge=duplicate_rule.would_merge(session, tried),
        examples=duplicate_rule.examples(session, tried),
        may_set=scope.level("accounts:merge") >= Level.ALL,
        error=error,
    )


@router.post("/rule")
def set_rule(request: Request, scope: MergeAccounts, session: Db, sent: Sent) -> Response:
    """Switch the rule on or off, or only see what another threshold would do."""
    threshold = None
    try:
        with attempt(session):
            threshold = (number(sent, "threshold") or 99) / 100
            if "preview" not in sent:
                held = duplicate_rule.set_rule(session, scope, is_on="is_on" in sent, threshold=threshold)
                if held.is_on:
                    defer(session, find_duplicates, key="accounts.find_duplicates")
    except WaymarkError as error:
        return rule_page(request, scope, session, error=error)
    return rule_page(request, scope, session, threshold=threshold)


@router.get("/{one}/{other}")
def show_pair(
    request: Request, one: UUID, other: UUID, scope: MergeAccounts, session: Db, winner: UUID | None = None
) -> Response:
    """Two accounts side by side; `winner` says which one is to stay."""
    return pair_page(request, scope, session, one, other, winner=winner)


def pair_page(
    request: Request,
    scope: Scope,
    session: Session,
    one: UUID,
    other: UUID,
    *,
    winner: UUID | None = None,
    chosen: Mapping[str, str] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """Two accounts side by side, perhaps with why they cannot be merged."""
    pair = duplicate_queue.find(session, scope, one, other)
    rows = {key: session.get_one(Account, key, populate_existing=True) for key in (one, other)}
    gone = next((row for row in rows.values() if row.merged_into is not None), None)
    if gone is not None and error is None:
        return go(f"/accounts/{queries.surviving(session, gone.id)}")
    stays, goes = proposed_winner(rows[one], rows[other])
    if winner is not None and winner in rows:
        stays, goes = rows[winner], rows[other if winner == one else one]
    language = language_of(request, scope)
    sides = (side(session, language, stays), side(session, language, goes))
    following = duplicate_queue.after(session, scope, one, other)
    return render(
        request,
        "duplicates/pair.html",
        scope,
        status=int(error.status) if error else 200,
        pair=pair,
        signs=reasons(signs_of(pair)) if pair else [],
        sides=sides,
        lines=lines(session, scope, *sides, chosen or {}),
        following=following,
        total=duplicate_queue.count(session, scope),
        distance_m=distance_of(session, stays.id, goes.id),
        pins=[pin(one_side) for one_side in sides],
        is_apart=pair is not None and pair.state == PairState.NOT_DUPLICATE,
        undone="undone" in request.query_params,
        gone=gone,
        error=error,
        **noted(request, session, scope),
    )


def side(session: Session, language: Language, account: Account) -> Side:
    """An account with what hangs on it."""
    family = select(Visit.id).where(Visit.account_id.in_(queries.family(account.id)), Visit.deleted_at.is_(None))
    return Side(
        account,
        [SiteRead.of(site) for site in queries.sites_of(session, [account.id])],
        session.scalar(select(func.count()).select_from(family.subquery())) or 0,
        session.scalar(select(User.name).where(User.id == account.owner_id)),
        session.scalar(select(User.name).where(User.id == account.preferred_rep_id)),
        own_words(session, language, "account", account),
    )


def lines(session: Session, scope: Scope, stays: Side, goes: Side, chosen: Mapping[str, str]) -> list[Line]:
    """Every field with both values and the one that is proposed; fields that are empty on both sides are left out."""
    labels, found = FIELDS.labels, []
    for name, is_same, choice in proposed(session, scope, stays.account, goes.account):
        values = shown(name, stays), shown(name, goes)
        if values != (None, None):
            wanted: Any = chosen.get(name, choice)
            found.append(Line(name, labels[name], values, is_same, wanted, name in BOTH))
    return found


def shown(name: str, one: Side) -> Any:
    """A field's value as the page shows it."""
    account = one.account
    if name in ("owner_id", "preferred_rep_id"):
        return one.owner if name == "owner_id" else one.preferred_rep
    if name == "value":
        worth = (account.yearly_value, account.yearly_potential)
        return None if worth == (None, None) else (*worth, account.currency)
    return one.own if name == "custom" else getattr(account, COLUMNS[name][0]) or None


def pin(one: Side) -> dict[str, Any]:
    """An account's pin for the map."""
    place = one.place
    return {"name": one.account.name, "lon": place and place.lon, "lat": place and place.lat}


def distance_of(session: Session, one: UUID, other: UUID) -> float | None:
    """Metres between two main sites."""
    pins = [
        select(Site.pin).where(Site.account_id == key, Site.is_main, Site.deleted_at.is_(None)).scalar_subquery()
        for key in (one, other)
    ]
    return session.scalar(select(func.ST_DistanceSphere(*pins)))


@router.post("/{one}/{other}/merge")
def merge(
    request: Request,
    one: UUID,
    other: UUID,
    scope: MergeAccounts,
    session: Db,
    sent: Sent,
    winner: Annotated[UUID, Form()],
    winner_rev: Annotated[int, Form()],
    loser_rev: Annotated[int, Form()],
) -> Response:
    """Merge two accounts as chosen, and go on with the next pair."""
    if winner not in (one, other):
        raise NotFound("There is no such account.", id=str(winner))
    loser = other if winner == one else one
    following = duplicate_queue.after(session, scope, one, other)
    choices = chosen_of(sent)
    pair = duplicate_queue.find(session, scope, one, other)
    wish = MergeWish(
        choices,  # type: ignore[arg-type]
        main_site="loser" if text(sent, "main_site") == "loser" else "winner",
        same_place={"yes": True, "no": False}.get(text(sent, "same_place") or ""),
        revs=(winner_rev, loser_rev),
        score=pair.score if pair else None,
    )
    try:
        with attempt(session):
            made = merging.merge(session, scope, winner, loser, wish)
    except WaymarkError as error:
        return pair_page(request, scope, session, one, other, winner=winner, chosen=choices, error=error)
    return go_on(session, following, f"merged={made.id}", made)


def chosen_of(sent: FormData) -> dict[str, str]:
    """The sides that were chosen."""
    return {name: str(sent[f"choose-{name}"]) for name in COLUMNS if f"choose-{name}" in sent}


def go_on(session: Session, following: Any, note: str, made: AccountMerge | None = None) -> Response:
    """On to the next pair, or to the empty queue. A pair whose account has just gone is passed over."""
    if following is not None and (made is None or made.loser_id not in (following.one.id, following.other.id)):
        return go(f"/duplicates/{following.one.id}/{following.other.id}?{note}")
    return go(f"/duplicates?{note}")


@router.post("/{one}/{other}/apart")
def keep_apart(one: UUID, other: UUID, scope: MergeAccounts, session: Db) -> Response:
    """Say that the two are not the same, and go on with the next pair."""
    following = duplicate_queue.after(session, scope, one, other)
    duplicate_queue.keep_apart(session, scope, one, other)
    return go_on(session, following, f"apart={one},{other}")


@router.post("/{one}/{other}/again")
def look_again(one: UUID, other: UUID, scope: MergeAccounts, session: Db) -> Response:
    """Take back that the two are not the same."""
    duplicate_queue.look_again(session, scope, one, other)
    return go(f"/duplicates/{one}/{other}")
