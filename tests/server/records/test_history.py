"""Whoever changes a record, its revision rises and its history tells."""

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.auth.models import Team
from server.records.models import FieldHistory
from server.records.service import Actor, acting


def history_of(session: Session, team: Team) -> list[tuple[int, str, object, object, str]]:
    rows = session.scalars(select(FieldHistory).where(FieldHistory.row_id == team.id).order_by(FieldHistory.id))
    return [(row.rev, row.field, row.old, row.new, row.source) for row in rows]


def test_a_new_record_starts_at_revision_one(session: Session) -> None:
    team = Team(name="North")
    session.add(team)
    session.flush()
    session.refresh(team)
    assert (team.rev, team.frev) == (1, {})
    assert history_of(session, team) == [(1, "*", None, None, "sql")]


def test_sql_by_hand_is_written_down_like_any_other_change(session: Session) -> None:
    team = Team(name="North")
    session.add(team)
    session.flush()
    acting(session, Actor(user_id=None, source="cli"))
    session.execute(text("update team set name = 'South' where id = :id"), {"id": team.id})
    session.refresh(team)
    assert (team.rev, team.frev) == (2, {"name": 2})
    assert history_of(session, team)[-1] == (2, "name", "North", "South", "cli")


def test_an_update_that_changes_nothing_leaves_no_trace(session: Session) -> None:
    team = Team(name="North")
    session.add(team)
    session.flush()
    before = len(history_of(session, team))
    session.execute(text("update team set name = name where id = :id"), {"id": team.id})
    session.refresh(team)
    assert team.rev == 1
    assert len(history_of(session, team)) == before
