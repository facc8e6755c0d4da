"""Parents and children of accounts: a tree without circles, and what a family is worth together."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, literal, select, text
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
    one_at_a_time(session, "account tree")
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


ABOVE = text(
    """
    with recursive up as (
        select parent_id as id, 1 as depth from account where id = :id
        union select a.parent_id, up.depth + 1 from up join account a on a.id = up.id where up.depth < 50
    )
    select id from up where id is not null order by depth
    """
)


def chain(session: Session, account_id: UUID) -> list[Account]:
    """The accounts above one, the nearest first."""
    ids = list(session.scalars(ABOVE, {"id": account_id}))
    found = {one.id: one for one in session.scalars(select(Account).where(Account.id.in_(ids)))} if ids else {}
    return [found[one] for one in ids]


def height(session: Session, account_id: UUID) -> int:
    """How many levels an account and what hangs below it make."""
    root = select(literal(account_id, Account.id.type).label("id"), literal(1).label("depth"))
    tree = root.cte("below", recursive=True)
    tree = tree.union(
        select(Account.id, tree.c.depth + 1).join(tree, Account.parent_id == tree.c.id).where(tree.c.depth < 50)
    )
    return session.scalar(select(func.max(tree.c.depth))) or 1


def below(session: Session, scope: Scope, account_id: UUID, *, limit: int = 200) -> list[Branch]:
    """The accounts below one that somebody may see, in the order of the tree."""
    family = queries.family(account_id)
    root = select(Account.id, literal(0).label("depth")).where(Account.id.in_(family))
    tree = root.cte("below", recursive=True)
    tree = tree.union(
        select(Account.id, tree.c.depth + 1).join(tree, Account.parent_id == tree.c.id).where(tree.c.depth < 50)
    )
    statement = queries.visible_to(scope).join(tree, tree.c.id == Account.id).where(tree.c.depth > 0)
    rows = session.execute(statement.add_columns(tree.c.depth).order_by(Account.name, Account.id).limit(limit))
    by_parent: Mapping[UUID | None, list[Branch]] = defaultdict(list)
    found = {account.id: Branch(account, depth) for account, depth in rows}
    for branch in found.values():
        parent = branch.account.parent_id
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
