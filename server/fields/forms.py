"""Visit types and what is asked at their visits: ordered questions, shown when an earlier answer says so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.fields.models import FieldKind, FormVersion, VisitType
from server.fields.service import KEY, choices_of, key_of
from server.fields.values import Choice, Shape, accepted
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.records.editing import require_revision
from server.records.merging import Json
from server.records.values import plain, whole

MOST_QUESTIONS = 100


@dataclass(frozen=True)
class Question:
    """One question of a form."""

    key: str
    shape: Shape
    required: bool = False
    help: str | None = None
    asked_if: str | None = None
    """Key of an earlier question on which it depends."""
    asked_if_is: tuple[Json, ...] = ()
    """The answers to that one at which it is asked; empty: any answer."""

    def is_asked(self, answers: Mapping[str, Json]) -> bool:
        """Whether the question is asked, given the answers so far."""
        if self.asked_if is None:
            return True
        given = answers.get(self.asked_if)
        if given is None:
            return False
        held = given if isinstance(given, list) else [given]
        return not self.asked_if_is or any(one in self.asked_if_is for one in held)


def question_of(document: Mapping[str, Any]) -> Question:
    """A stored question."""
    choices = [Choice(one["value"], one["label"]) for one in document.get("choices", ())]
    return Question(
        key=document["key"],
        shape=Shape(FieldKind(document["kind"]), document["label"], choices=choices, unit=document.get("unit")),
        required=bool(document.get("required")),
        help=document.get("help"),
        asked_if=document.get("asked_if"),
        asked_if_is=tuple(document.get("asked_if_is") or ()),
    )


def questions_of(version: FormVersion | None) -> list[Question]:
    """The questions of a form as it stood."""
    return [question_of(one) for one in version.questions] if version else []


def checked_questions(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Questions as they are stored. Refuses a key twice, a condition on a later question, a choice without choices."""
    if len(given) > MOST_QUESTIONS:
        raise Invalid(f"{len(given)} questions are too many.", help=f"At most {MOST_QUESTIONS}.", field="questions")
    stored: list[dict[str, Any]] = []
    earlier: dict[str, Question] = {}
    for place, one in enumerate(given, 1):
        try:
            document = _checked(one, earlier)
        except Invalid as error:
            raise Invalid(f"Question {place}: {error.message}", help=error.help, field="questions") from error
        stored.append(document)
        earlier[document["key"]] = question_of(document)
    return stored


def _checked(one: Mapping[str, Any], earlier: Mapping[str, Question]) -> dict[str, Any]:
    label = plain(one.get("label"), 300)
    if label is None:
        raise Invalid("The text is missing.", help="Say what is asked.")
    key = str(one.get("key") or "") or key_of(label)
    if not KEY.fullmatch(key):
        raise Invalid(f"“{key}” cannot be a key.", help="Small letters, digits and _, beginning with a letter.")
    if key in earlier:
        raise Invalid(f"The key “{key}” is there twice.", help="Give each question its own key.")
    kind = str(one.get("kind") or FieldKind.TEXT)
    if kind not in list(FieldKind):
        raise Invalid(f"There is no kind “{kind}”.", help="One of: " + ", ".join(FieldKind) + ".")
    document: dict[str, Any] = {"key": key, "label": label, "kind": kind, "required": bool(one.get("required"))}
    if kind in (FieldKind.CHOICE, FieldKind.CHOICES):
        document["choices"] = [{"value": c.value, "label": c.label} for c in choices_of(one.get("choices"))]
        if not document["choices"]:
            raise Invalid("There is nothing to choose.", help="Give choices.")
    for name in ("unit", "help"):
        if written := plain(one.get(name), 300):
            document[name] = written
    if asked_if := one.get("asked_if"):
        if asked_if not in earlier:
            raise Invalid(f"It depends on “{asked_if}”, which is not asked before it.", help="Move it down.")
        given = one.get("asked_if_is") or []
        parts = given if isinstance(given, list) else [given]
        document |= {"asked_if": asked_if, "asked_if_is": [_condition(earlier[asked_if].shape, part) for part in parts]}
    return document


def _condition(shape: Shape, part: object) -> Json:
    """An answer on which another question depends, as answers are stored."""
    found = accepted(shape, part)
    return found[0] if isinstance(found, list) and found else found


def checked_answers(version: FormVersion, given: Mapping[str, Any], *, finished: bool) -> dict[str, Json]:
    """Answers as they are stored; those to questions that are not asked are left out.

    Refuses unknown questions and wrong answers and, when the visit is finished, a required answer that is missing.
    """
    questions = questions_of(version)
    unknown = next((key for key in given if key not in {one.key for one in questions}), None)
    if unknown is not None:
        raise Invalid(f"The form does not ask “{unknown}”.", help="Reload the form.", field=f"answers.{unknown}")
    answers: dict[str, Json] = {}
    for one in questions:
        if not one.is_asked(answers):
            continue
        name = f"answers.{one.key}"
        try:
            answer = accepted(one.shape, given.get(one.key))
        except Invalid as error:
            raise Invalid(f"{one.shape.label}: {error.message}.", help=error.help, field=name) from error
        if answer is not None:
            answers[one.key] = answer
        elif one.required and finished:
            raise Invalid(f"{one.shape.label}: is not answered.", help="The visit cannot be done without.", field=name)
    return answers


# Visit types


def set_type(
    session: Session, values: Mapping[str, Any], *, type_id: UUID | None = None, base_rev: int = 0
) -> VisitType:
    """Add a visit type, or change one that was seen at a revision. Refuses a name that is taken."""
    name = plain(values.get("name"), 120)
    if name is None:
        raise Invalid("The visit type has no name.", field="name")
    taken = select(VisitType.id).where(func.lower(VisitType.name) == name.lower(), VisitType.deleted_at.is_(None))
    if (known := session.scalars(taken).first()) is not None and known != type_id:
        raise Conflict(f"There is a visit type “{name}” already.", help="Choose another name.", field="name")
    found = VisitType() if type_id is None else find_type(session, type_id)
    if type_id is not None:
        require_revision(found.name, found.id, found.rev, base_rev)
    found.name = name
    if "service_s" in values:
        try:
            found.service_s = whole(60, 86_400)(values["service_s"])
        except Invalid as error:
            raise Invalid(f"Length: {error.message}.", help=error.help, field="service_s") from error
    if "position" in values:
        found.position = int(values["position"] or 0)
    found.archived = bool(values.get("archived", found.archived or False))
    session.add(found)
    session.flush()
    session.refresh(found)
    return found


def find_type(session: Session, type_id: UUID) -> VisitType:
    """A visit type, locked for a change."""
    statement = select(VisitType).where(VisitType.id == type_id, VisitType.deleted_at.is_(None)).with_for_update()
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("There is no such visit type.", id=str(type_id))
    return found


def delete_type(session: Session, type_id: UUID) -> None:
    """Take a visit type away; visits keep it, with their answers."""
    find_type(session, type_id).deleted_at = clock.now()
    session.flush()


def current(session: Session, type_id: UUID) -> FormVersion | None:
    """What is asked at visits of a type now."""
    statement = select(FormVersion).where(FormVersion.visit_type_id == type_id)
    return session.scalars(statement.order_by(FormVersion.version.desc()).limit(1)).one_or_none()


def set_questions(
    session: Session, type_id: UUID, given: Sequence[Mapping[str, Any]], *, by: UUID | None = None
) -> FormVersion:
    """Ask this from now on: a new version, unless nothing changes. Answers keep the version they were given to."""
    find_type(session, type_id)
    stored = checked_questions(given)
    latest = current(session, type_id)
    if latest is not None and latest.questions == stored:
        return latest
    number = latest.version + 1 if latest else 1
    made = FormVersion(visit_type_id=type_id, version=number, questions=stored, created_by=by)
    session.add(made)
    session.flush()
    return made
