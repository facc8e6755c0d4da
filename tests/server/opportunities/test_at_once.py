"""Pipelines that change while deals come to them: no deal ever stands where nobody sees it."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from server.accounts import service as accounts
from server.accounts.queries import today_of
from server.accounts.service import NewAccount
from server.auth.access import system_scope
from server.kit.database import transaction
from server.kit.errors import NotFound
from server.opportunities import pipelines, queries, service
from server.opportunities.models import Opportunity, Stage, StageChange
from server.opportunities.pipelines import NoPipeline
from server.opportunities.service import NewDeal
from tests.server.at_once import overlapping


@pytest.fixture
def world(empty_database: Any) -> dict[str, UUID]:
    """An account and the usual pipeline, really stored: ids by name."""
    with transaction() as session:
        account = accounts.create(session, system_scope(), NewAccount({"name": "Amann"}, []), force=True)
        pipeline = pipelines.create_usual(session)
        stages = {stage.name: stage.id for stage in queries.stages(session, pipeline.id)}
        return {"account": account.id, "pipeline": pipeline.id, **stages}


def deal(session: Any, world: dict[str, UUID], stage: str | None = None) -> UUID:
    today = today_of(system_scope())
    fields = {
        "name": "Oven", "account_id": world["account"], "close_on": today + timedelta(days=9), "next_step": "Call",
        "next_step_on": today + timedelta(days=2),
    }  # fmt: skip
    return service.create(session, system_scope(), NewDeal(fields, stage_id=world[stage] if stage else None)).id


def places() -> list[str]:
    """The stages in which living deals stand; each is there itself."""
    with transaction() as session:
        rows = session.execute(select(Stage).join(Opportunity).where(Opportunity.deleted_at.is_(None))).scalars().all()
        assert all(stage.deleted_at is None for stage in rows), "a deal stands in a stage that was removed"
        return [stage.name for stage in rows]


def test_a_deal_that_begins_while_its_stage_is_removed_begins_in_the_next_one(world: dict[str, UUID]) -> None:
    came = overlapping(
        lambda session: pipelines.remove_stage(session, system_scope(), world["Qualify"]),
        lambda session: deal(session, world),
    )
    assert isinstance(came, UUID)
    assert places() == ["Needs"]


def test_a_deal_that_begins_while_its_pipeline_is_removed_is_refused(world: dict[str, UUID]) -> None:
    came = overlapping(
        lambda session: pipelines.remove(session, world["pipeline"]), lambda session: deal(session, world)
    )
    assert isinstance(came, NoPipeline)
    assert places() == []


@pytest.mark.parametrize("stage", [None, "Needs"])
def test_a_pipeline_to_which_a_deal_is_coming_stays(world: dict[str, UUID], stage: str | None) -> None:
    came = overlapping(
        lambda session: deal(session, world, stage), lambda session: pipelines.remove(session, world["pipeline"])
    )
    assert isinstance(came, pipelines.DealsInStage)
    assert places() == [stage or "Qualify"]


def test_two_people_who_remove_the_stage_to_which_the_other_moves_lose_no_deal(world: dict[str, UUID]) -> None:
    with transaction() as session:
        deal(session, world, "Qualify")
        deal(session, world, "Needs")

    def remove(session: Any, gone: str, to: str) -> None:
        pipelines.remove_stage(session, system_scope(), world[gone], move_to=world[to])

    overlapping(
        lambda session: remove(session, "Qualify", "Needs"), lambda session: remove(session, "Needs", "Qualify")
    )
    assert len(places()) == 2


def test_a_deal_that_comes_back_after_its_stage_was_removed_stands_where_people_see_it(world: dict[str, UUID]) -> None:
    with transaction() as session:
        key = deal(session, world, "Needs")
        service.delete(session, system_scope(), key, session.get_one(Opportunity, key).rev)
        pipelines.remove_stage(session, system_scope(), world["Needs"])
    with transaction() as session:
        service.restore(session, system_scope(), key)
    assert places() == ["Qualify"]
    with transaction() as session:
        last = session.scalars(select(StageChange).order_by(StageChange.at.desc(), StageChange.id.desc())).first()
        assert last is not None
        assert (last.from_stage_id, last.to_stage_id) == (world["Needs"], world["Qualify"])


def test_a_deal_whose_pipeline_is_gone_comes_back_only_when_there_is_another(world: dict[str, UUID]) -> None:
    with transaction() as session:
        key = deal(session, world)
        service.delete(session, system_scope(), key, session.get_one(Opportunity, key).rev)
        pipelines.remove(session, world["pipeline"])
    with pytest.raises(NoPipeline), transaction() as session:
        service.restore(session, system_scope(), key)
    with transaction() as session:
        pipelines.create_usual(session)
        service.restore(session, system_scope(), key)
    assert places() == ["Qualify"]


def test_a_stage_is_removed_once(world: dict[str, UUID]) -> None:
    def remove(session: Any) -> None:
        pipelines.remove_stage(session, system_scope(), world["Needs"])

    assert isinstance(overlapping(remove, remove), NotFound)
