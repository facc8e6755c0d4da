"""Parents and children of accounts: a tree without circles, and what a family is worth together."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import CTE, and_, case, func, literal, null, or_, select, text
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.models import Account
from server.auth.access import Scope
from server.kit.errors import Conflict, Invalid
from server.kit.locks import one_at_a_time

DEEPEST = 8


class Circle(Conflict):
    """An account would be above itself."""

    code = "circular_parents"


@dataclass(frozen=True)
class Branch:
    """An account in the tree around another one."""

    account: Account
    depth: int
    """Levels above (negative) or below the account that is looked at."""


def check_parent(session: Session, scope: Scope, account_id: UUID, parent_id: UUID | None) -> None:
    """Refuse a parent that is not there, that stands below the account, or that would make the tree too deep."""
    if parent_id is None:
        return
    if not queries.seen_of(session, scope, [parent_id]) or queries.surviving(session, parent_id) != parent_id:
        raise Invalid("Parent: there is no such account.", help="Choose another one.", field="parent_id")
    lock(session)
    above = [session.get_one(Account, parent_id), *chain(session, parent_id)]
    if any(one.id == account_id for one in above):
        names = [one.name for one in reversed(above[: [one.id for one in above].index(account_id) + 1])]
        raise Circle(
            "The accounts would stand above each other in a circle: " + " > ".join([*names, names[0]]) + ".",
            help="Take one of them out of its parent first.",
            field="parent_id",
        )
    if len(above) + height(session, account_id) > DEEPEST:
        raise Invalid(
            f"The tree would be deeper than {DEEPEST} levels.", help="Choose a parent further up.", field="parent_id"
        )


def lock(session: Session) -> None:
    """Whoever changes the tree does so alone."""
    one_at_a_time(session, "account tree")


UP = """
    with recursive up as (
        select account_surviving(parent_id) as id, 1 as depth from account where id = :id
        union select account_surviving(a.parent_id), up.depth + 1 from up join account a on a.id = up.id
        where up.depth < 50
    )
"""
ABOVE = text(f"{UP} select id from up where id <> account_surviving(:id) group by id order by min(depth)")  # noqa: S608 our own text
IN_CIRCLE = text(f"{UP} select exists (select from up where id = :id)")  # noqa: S608 our own text

# Whether two accounts have anybody above them in common, or one stands above the other; for a pair of accounts.
ONE_FAMILY = """exists (
    with recursive up (id, place, depth) as (
        select one.id, one.id, 0 from (values ({low}), ({high})) one (id)
        union select up.id, account_surviving(a.parent_id), up.depth + 1 from up join account a on a.id = up.place
        where a.parent_id is not null and up.depth < 50
    )
    select from up group by place having count(distinct id) > 1
)"""


def chain(session: Session, account_id: UUID) -> list[Account]:
    """The accounts above one, the nearest first; each as what it became by merges, and none twice."""
    ids = list(session.scalars(ABOVE, {"id": account_id}))
    found = {one.id: one for one in session.scalars(select(Account).where(Account.id.in_(ids)))} if ids else {}
    return [found[one] for one in ids]


def is_in_circle(session: Session, account_id: UUID) -> bool:
    """Whether an account stands above itself."""
    return bool(session.scalar(IN_CIRCLE, {"id": account_id}))


def hanging(account_id: UUID) -> CTE:
    """An account and everything below it: `id`, `owner` (what it became by merges), `parent` and `depth` (0 is itself).
    What hangs on an account that was merged away hangs on the winner.
    """
    own = literal(account_id, Account.id.type)
    root = select(
        own.label("id"), own.label("owner"), null().cast(Account.id.type).label("parent"), literal(0).label("depth")
    )
    tree = root.cte("hanging", recursive=True)
    is_merged = Account.merged_into == tree.c.id
    return tree.union(
        select(
            Account.id,
            case((is_merged, tree.c.owner), else_=Account.id),
            case((is_merged, tree.c.parent), else_=tree.c.owner),
            tree.c.depth + case((is_merged, 0), else_=1),
        )
        .join(tree, or_(is_merged, and_(Account.parent_id == tree.c.id, Account.merged_into.is_(None))))
        .where(tree.c.depth < 50, Account.id != account_id)
    )


def height(session: Session, account_id: UUID) -> int:
    """How many levels an account and what hangs below it make."""
    return (session.scalar(select(func.max(hanging(account_id).c.depth))) or 0) + 1


def below(session: Session, scope: Scope, account_id: UUID, *, limit: int = 200) -> list[Branch]:
    """The accounts below one that somebody may see, in the order of the tree."""
    tree = hanging(account_id)
    statement = queries.visible_to(scope).join(tree, tree.c.id == Account.id).where(tree.c.depth > 0)
    columns = statement.add_columns(tree.c.depth, tree.c.parent).order_by(tree.c.depth, Account.name, Account.id)
    by_parent: Mapping[UUID | None, list[Branch]] = defaultdict(list)
    found = {
        account.id: (Branch(account, depth), parent) for account, depth, parent in session.execute(columns.limit(limit))
    }
    for branch, parent in found.values():
        by_parent[parent if parent in found else account_id].append(branch)
    return _in_order(by_parent, account_id)


def _in_order(by_parent: Mapping[UUID | None, list[Branch]], parent: UUID) -> list[Branch]:
    """A parent's children, each followed by its own."""
    return [one for child in by_parent.get(parent, ()) for one in (child, *_in_order(by_parent, child.account.id))]


def worth(account: Account, branches: list[Branch]) -> Mapping[str, tuple[Decimal, Decimal]]:
    """Yearly value and potential of an account and those below it, by currency."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for one in (account, *(branch.account for branch in branches)):
        value, potential = sums.get(one.currency, (Decimal(0), Decimal(0)))
        if one.yearly_value is not None or one.yearly_potential is not None:
            sums[one.currency] = (value + (one.yearly_value or 0), potential + (one.yearly_potential or 0))
    return sums
