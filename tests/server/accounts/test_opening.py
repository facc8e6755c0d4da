"""Opening an account: what many parts of its page ask, in one query."""

from typing import Any

from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.duplicates import merging
from server.accounts.duplicates.merging import MergeWish
from server.accounts.opening import Opened, detail_of, opened
from server.auth.models import User
from server.auth.roles import EVERYTHING
from server.kit.ids import uuid7

ASKED = ("accounts:read", "accounts:write", "contacts:read", "opportunities:read", "users:write")


def test_an_opened_account_has_the_rights_that_reach_it_and_no_other(
    session: Session, scope: Any, ada: User, rita: User, otto: User, make_account: Any
) -> None:
    own, foreign = make_account("Own", at=(9.2, 47.1)), make_account("Foreign", at=(9.7, 47.1))
    for account in (own, foreign):
        for user in (ada, rita, otto):
            asked = opened(session, scope(user), account.id, EVERYTHING)
            assert asked.granted == queries.granted(session, scope(user), account.id, EVERYTHING), user.login
            assert asked.family == [account.id]
    assert "accounts:read" in opened(session, scope(rita), own.id, ASKED).granted
    assert opened(session, scope(rita), foreign.id, ASKED).granted == frozenset()
    at = opened(session, scope(ada), own.id, ASKED)
    assert opened(session, scope(rita), at, ASKED) is at


def test_a_merged_account_opens_as_the_one_that_lives_on(
    session: Session, scope: Any, ada: User, make_account: Any
) -> None:
    winner, loser = make_account("Winner"), make_account("Loser")
    child = make_account("Child", parent_id=loser.id)
    assert [opened(session, scope(ada), one.id, ASKED).has_children for one in (winner, loser)] == [False, True]
    merging.merge(session, scope(ada), winner.id, loser.id, MergeWish({}))
    at = opened(session, scope(ada), loser.id, ASKED)
    assert (at.account_id, set(at.family), at.has_children) == (winner.id, {winner.id, loser.id}, True)
    assert not opened(session, scope(ada), child.id, ASKED).has_children
    row = detail_of(session, scope(ada), winner.id)
    assert row == queries.detail(session, scope(ada), winner.id)
    assert detail_of(session, scope(ada), loser.id) is None


def test_what_is_not_there_opens_as_nothing(session: Session, scope: Any, ada: User) -> None:
    nobody = uuid7()
    assert opened(session, scope(ada), nobody, ASKED) == Opened(nobody, frozenset(), (), False)
