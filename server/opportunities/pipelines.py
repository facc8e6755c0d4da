"""The rules of pipelines, their stages and the words of lists; admins and managers edit them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from server.accounts.values import flag, whole
from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.opportunities import queries
from server.opportunities.models import Category, ChoiceKind, DealChoice, Opportunity, Pipeline, Stage
from server.opportunities.values import REQUIRABLE, Rule, choice_of, cleaned, name, needed, share


class DealsInStage(Conflict):
    """A stage in which deals stand cannot be removed without saying where they go."""

    code: ClassVar[str] = "deals_in_stage"


class NoPipeline(Conflict):
    """Deals need a pipeline first."""

    code: ClassVar[str] = "no_pipeline"


def required(value: object) -> list[str]:
    """Names of fields that a stage requires."""
    if not isinstance(value, list | tuple):
        raise Invalid("needs a list of fields")
    unknown = sorted({str(one) for one in value} - set(REQUIRABLE))
    if unknown:
        raise Invalid(f"“{unknown[0]}” cannot be required", help="Known: " + ", ".join(REQUIRABLE) + ".")
    return [one for one in REQUIRABLE if one in value]


STAGE: dict[str, Rule] = {
    "name": Rule(name, "Name"),
    "probability": Rule(needed(share), "Probability"),
    "category": Rule(needed(choice_of(Category)), "Forecast category"),
    "rotten_days": Rule(whole(1, 3650), "Rotten after"),
    "required": Rule(required, "Required fields"),
    "is_won": Rule(flag, "Means won"),
    "is_lost": Rule(flag, "Means lost"),
}
"""The fields of a stage that people edit."""

USUAL = (
    ("Qualify", "0.10", Category.PIPELINE, 21, ()),
    ("Needs", "0.25", Category.PIPELINE, 21, ("amount",)),
    ("Quote", "0.50", Category.BEST_CASE, 30, ("amount", "source")),
    ("Negotiate", "0.75", Category.COMMIT, 21, ("amount", "competitors")),
    ("Won", "1", Category.OMITTED, None, ("amount",)),
    ("Lost", "0", Category.OMITTED, None, ()),
)
"""The pipeline that a company begins with."""

USUAL_CHOICES = {
    ChoiceKind.COMPETITOR: (),
    ChoiceKind.SOURCE: ("Visit", "Web form", "Recommendation", "Trade fair", "Existing customer"),
    ChoiceKind.WIN_REASON: ("Price", "Quality", "Service", "Relationship", "Delivery time"),
    ChoiceKind.LOSS_REASON: ("Price", "Competitor", "No budget", "No decision", "Does not fit"),
}


def create_usual(session: Session, say: Callable[[str], str] = str) -> Pipeline:
    """Begin with a pipeline that fits many: six stages, reasons, sources, in the words of the company's language."""
    pipeline = create(session, say("Sales"))
    for title, probability, category, rotten, fields in USUAL:
        add_stage(
            session,
            pipeline.id,
            {
                "name": say(title),
                "probability": probability,
                "category": category,
                "rotten_days": rotten,
                "required": list(fields),
                "is_won": title == "Won",
                "is_lost": title == "Lost",
            },
        )
    for kind, words in USUAL_CHOICES.items():
        known = choices(session, kind)
        for word in map(say, words):
            if word not in known:
                add_choice(session, kind, word)
    return pipeline


def create(session: Session, title: object) -> Pipeline:
    """Begin a pipeline. Refuses a name that another one has."""
    written = _free_name(session, title, None)
    last = session.scalar(select(func.coalesce(func.max(Pipeline.position), -1))) or 0
    pipeline = Pipeline(name=written, position=last + 1)
    session.add(pipeline)
    session.flush()
    return pipeline


def rename(session: Session, pipeline_id: UUID, title: object) -> Pipeline:
    """Give a pipeline another name."""
    pipeline = find(session, pipeline_id)
    pipeline.name = _free_name(session, title, pipeline_id)
    session.flush()
    return pipeline


def remove(session: Session, pipeline_id: UUID) -> None:
    """Take a pipeline away. Refuses one in which deals stand."""
    held = select(Stage.id).where(Stage.pipeline_id == pipeline_id).order_by(Stage.id)
    session.execute(held.with_for_update())  # whoever is about to put a deal there is waited for
    pipeline = find(session, pipeline_id)
    count = _deals(session, Opportunity.pipeline_id == pipeline_id)
    if count:
        raise DealsInStage(
            f"{count} deals stand in “{pipeline.name}”.", help="Move them to another pipeline first.", deals=count
        )
    now = clock.now()
    pipeline.deleted_at = now
    session.execute(
        update(Stage).where(Stage.pipeline_id == pipeline_id, Stage.deleted_at.is_(None)).values(deleted_at=now)
    )
    session.flush()


def add_stage(session: Session, pipeline_id: UUID, given: Mapping[str, Any]) -> Stage:
    """Add a stage at the end of a pipeline."""
    pipeline = find(session, pipeline_id)
    values = {field: cleaned(STAGE, field, value) for field, value in given.items()}
    for field in ("name", "probability", "category"):
        if values.get(field) is None:
            raise Invalid(f"{STAGE[field].label}: is missing.", field=field)
    _check_stage(session, pipeline.id, values, None)
    last = session.scalar(select(func.coalesce(func.max(Stage.position), -1)).where(Stage.pipeline_id == pipeline_id))
    stage = Stage(pipeline_id=pipeline.id, position=(last if last is not None else -1) + 1, **values)
    session.add(stage)
    session.flush()
    session.refresh(stage)
    return stage


def edit_stage(session: Session, stage_id: UUID, given: Mapping[str, Any]) -> Stage:
    """Change a stage. Refuses to turn one in which deals stand into won or lost, or back."""
    stage = find_stage(session, stage_id)
    values = {field: cleaned(STAGE, field, value) for field, value in given.items()}
    _check_stage(session, stage.pipeline_id, {"is_won": stage.is_won, "is_lost": stage.is_lost} | values, stage_id)
    turned = any(field in values and values[field] != getattr(stage, field) for field in ("is_won", "is_lost"))
    if turned and (count := _deals(session, Opportunity.stage_id == stage_id)):
        raise DealsInStage(
            f"{count} deals stand in “{stage.name}”; they would be closed or opened unseen.",
            help="Move them to another stage first.",
            deals=count,
        )
    for field, value in values.items():
        setattr(stage, field, value)
    session.flush()
    session.refresh(stage)
    return stage


def order_stages(session: Session, pipeline_id: UUID, stage_ids: Sequence[UUID]) -> None:
    """Put the stages of a pipeline into another order; all of them must be named."""
    known = {stage.id: stage for stage in queries.stages(session, pipeline_id)}
    if set(stage_ids) != set(known) or len(stage_ids) != len(known):
        raise Invalid("The order must name every stage of the pipeline once.", field="stage_ids")
    for position, stage_id in enumerate(stage_ids):
        known[stage_id].position = position
    session.flush()


@dataclass(frozen=True)
class Removed:
    """What came of removing a stage."""

    stage: Stage
    moved: int
    """Deals that went to the other stage."""


def remove_stage(session: Session, scope: Scope, stage_id: UUID, *, move_to: UUID | None = None) -> Removed:
    """Take a stage away; its deals, if any, go to another stage of the same kind in the same transaction.

    Refuses while deals stand in it and nobody says where they go.
    """
    stage = find_stage(session, stage_id)
    count = _deals(session, Opportunity.stage_id == stage_id)
    if count and move_to is None:
        raise DealsInStage(
            f"{count} deals stand in “{stage.name}”.",
            help=f"Choose the stage to which these {count} deals move.",
            deals=count,
            stages=[{"id": str(one.id), "name": one.name} for one in _alike(session, stage)],
        )
    if count and move_to is not None:
        _move_all(session, scope, stage, move_to)
    stage.deleted_at = clock.now()
    session.flush()
    return Removed(stage, count)


MOVE_ALL = text(
    """
    with moved as (
        update opportunity o set stage_id = :to, pipeline_id = :pipeline, stage_since = :now
        from (select id, stage_since from opportunity where stage_id = :from and deleted_at is null for update) before
        where o.id = before.id
        returning o.id, o.account_id, o.amount, o.currency, before.stage_since as since
    )
    insert into stage_change
        (id, opportunity_id, account_id, from_stage_id, to_stage_id, at, by, amount, currency, days_in_stage)
    select gen_random_uuid(), id, account_id, :from, :to, :now, :by, amount, currency,
        extract(epoch from cast(:now as timestamptz) - since) / 86400
    from moved
    """
)


def known_user(scope: Scope) -> UUID | None:
    """Who acts; None for Waymark itself."""
    return scope.user_id if scope.user_id.int else None


def _move_all(session: Session, scope: Scope, stage: Stage, move_to: UUID) -> None:
    target = next((one for one in _alike(session, stage) if one.id == move_to), None)
    if target is None:
        raise Invalid(
            "The deals cannot move there.",
            help="Choose another stage that is open, won or lost as this one is.",
            field="move_to",
        )
    session.execute(
        MOVE_ALL,
        {
            "from": stage.id,
            "to": target.id,
            "pipeline": target.pipeline_id,
            "by": known_user(scope),
            "now": clock.now(),
        },
    )
    session.expire_all()


def _alike(session: Session, stage: Stage) -> list[Stage]:
    kind = (stage.is_won, stage.is_lost)
    return [one for one in queries.stages(session) if one.id != stage.id and (one.is_won, one.is_lost) == kind]


def _check_stage(session: Session, pipeline_id: UUID, values: Mapping[str, Any], own_id: UUID | None) -> None:
    if values.get("is_won") and values.get("is_lost"):
        raise Invalid("A stage means won or lost, not both.", field="is_lost")
    for one in queries.stages(session, pipeline_id):
        if one.id != own_id and one.name == values.get("name"):
            raise Invalid(f"Name: there is a stage “{one.name}” already.", help="Choose another name.", field="name")


def _free_name(session: Session, title: object, own_id: UUID | None) -> str:
    written: str = cleaned({"name": STAGE["name"]}, "name", title)
    taken = select(Pipeline.id).where(
        Pipeline.name == written, Pipeline.deleted_at.is_(None), Pipeline.id.is_distinct_from(own_id)
    )
    if session.scalar(taken) is not None:
        raise Invalid(f"Name: there is a pipeline “{written}” already.", help="Choose another name.", field="name")
    return written


def _deals(session: Session, condition: Any) -> int:
    found = select(func.count()).select_from(Opportunity).where(condition, Opportunity.deleted_at.is_(None))
    return session.scalar(found) or 0


def find(session: Session, pipeline_id: UUID) -> Pipeline:
    """A pipeline, locked for a change."""
    pipeline = session.get(Pipeline, pipeline_id, with_for_update=True, populate_existing=True)
    if pipeline is None or pipeline.deleted_at is not None:
        raise NotFound("There is no such pipeline.", field="pipeline_id")
    return pipeline


def find_stage(session: Session, stage_id: UUID) -> Stage:
    """A stage, locked against being removed meanwhile."""
    stage = session.get(Stage, stage_id, with_for_update=True, populate_existing=True)
    if stage is None or stage.deleted_at is not None:
        raise NotFound("There is no such stage.", field="stage_id")
    return stage


def first_stage(session: Session, pipeline_id: UUID | None = None) -> Stage:
    """Where a new deal begins: the first open stage of a pipeline, or of the first one."""
    for stage in queries.stages(session, pipeline_id):
        if not (stage.is_won or stage.is_lost) and is_held(session, stage):
            return stage
    raise NoPipeline(
        "There is no pipeline with an open stage yet.", help="An admin begins one on the page Pipeline, under Stages."
    )


def is_held(session: Session, stage: Stage) -> bool:
    """Keep a stage from being removed until this transaction ends; whether it is still there."""
    session.refresh(stage, with_for_update={"read": True})
    return stage.deleted_at is None


def instead_of(session: Session, stage: Stage) -> Stage:
    """Where a deal stands whose stage was removed: in one of its kind, of the same pipeline where there is one."""
    alike = sorted(_alike(session, stage), key=lambda one: one.pipeline_id != stage.pipeline_id)
    for one in alike:
        if is_held(session, one):
            return one
    raise NoPipeline(
        f"“{stage.name}” was removed, and there is no other stage of its kind.", help="Add one to a pipeline first."
    )


def choices(session: Session, kind: ChoiceKind) -> list[str]:
    """The words of a list in their order."""
    return [one.name for one in listed(session) if one.kind == kind]


def listed(session: Session) -> list[DealChoice]:
    """The words of all lists."""
    statement = select(DealChoice).where(DealChoice.deleted_at.is_(None))
    return list(session.scalars(statement.order_by(DealChoice.kind, DealChoice.position, DealChoice.name)))


def add_choice(session: Session, kind: ChoiceKind, word: object) -> DealChoice:
    """Add a word to a list. Refuses one that is there already."""
    written: str = cleaned({"name": STAGE["name"]}, "name", word)
    if len(written) > 60:
        raise Invalid("Name: at most 60 characters fit.", field="name")
    known = choices(session, kind)
    if written.casefold() in {one.casefold() for one in known}:
        raise Invalid(f"Name: “{written}” is there already.", field="name")
    choice = DealChoice(kind=kind.value, name=written, position=len(known))
    session.add(choice)
    session.flush()
    return choice


def remove_choice(session: Session, choice_id: UUID) -> None:
    """Take a word off its list; deals that have it keep it."""
    choice = session.get(DealChoice, choice_id)
    if choice is None or choice.deleted_at is not None:
        raise NotFound("There is no such word.")
    choice.deleted_at = clock.now()
    session.flush()
