"""Why the server refused something, in the words of this phone: each of its codes has a sentence here.

A code that this app does not know yet is told in the server's own English.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Words(Protocol):
    """The words of one language."""

    def __call__(self, key: str, **values: object) -> str: ...

    def has(self, key: str) -> bool: ...


MOST = 500
"""So many characters of one value are told."""
NAMED = ("field", "fields", "what")
"""Values that name a field or a kind of entry."""


type Called = Callable[[str], str | None]
"""How the company calls a field of its own; None for one of Waymark's."""


def brief(value: object) -> object:
    """A value as a line can hold it: of a longer text the beginning."""
    return f"{value[:MOST]}…" if isinstance(value, str) and len(value) > MOST else value


def reason(words: Words, error: Mapping[str, Any], called: Called = lambda _name: None) -> str:
    """Why something was refused: by its codes where all of them are known here, else as the server says it."""
    parts = error.get("reasons") or ()
    try:
        said = [words(f"reason_{one['code']}", **named(words, one["values"], called)) for one in parts]
    except (KeyError, TypeError, IndexError, AttributeError, ValueError):
        said = []
    return " ".join(said or (str(error[key]) for key in ("msg", "help") if error.get(key)))


def problem(words: Words, error: Mapping[str, Any]) -> str:
    """Why something could not even be judged, or could not be sent."""
    key = f"problem_{error.get('code')}"
    if not error.get("reasons") and words.has(key):
        return words(key)
    return reason(words, error) or str(error.get("code") or "")


def clash(words: Words, conflict: Mapping[str, Any], stored: object = None, *, has_moved: bool = False) -> str:
    """Why an edit met somebody else's, with both values; and what is stored since, where that is another one. How the
    field is called stands in the conflict (`called`) where that is no name of Waymark's."""
    values = {"mine": conflict["mine"], "server": conflict["server"], "stored": stored}
    shown = {key: "–" if value is None else value for key, value in values.items()}
    key = "why_conflict_moved" if has_moved else f"why_conflict_{conflict.get('kind')}"
    return words(key if words.has(key) else "why_conflict", field=_field(words, conflict), **shown)


def decided(words: Words, conflict: Mapping[str, Any], decision: Mapping[str, Any]) -> str:
    """Who decided about a field that two changed, and how."""
    who, kind, state = decision.get("by") or words("the_office"), conflict.get("kind"), decision["state"]
    if kind == "delete_vs_edit":
        return words("decided_deleted" if state == "took_mine" else "decided_not_deleted", who=who)
    if kind in ("edit_after_delete", "site_after_delete") and state == "kept_server":
        return words("decided_left_deleted", who=who, mine=conflict["mine"] or "–")
    shown = {
        key: "–" if value is None else value
        for key, value in (("mine", conflict["mine"]), ("value", decision["value"]))
    }
    key = "decided_unseen" if kind == "out_of_scope" and decision["value"] is None else f"decided_{state}"
    if decision.get("is_mine"):
        key = "decided_by_you_so" if shown["mine"] == shown["value"] else "decided_by_you"
    return words(key if words.has(key) else "decided_custom", who=who, field=_field(words, conflict), **shown)


def _field(words: Words, conflict: Mapping[str, Any]) -> str:
    name = conflict["field"]
    return conflict.get("called") or (words(name) if words.has(name) else label(words, name))


def named(words: Words, values: Mapping[str, str], called: Called) -> dict[str, str]:
    """The values of a reason, with what they name as it is called here."""
    return {
        key: ", ".join(called(one) or label(words, one) for one in value.split(", ")) if key in NAMED else value
        for key, value in values.items()
    }


def label(words: Words, name: str) -> str:
    """What a field or a kind of entry is called here; one without a word, as the server calls it."""
    key = f"field_{name.rpartition('.')[2].lower().replace(' ', '_').replace('-', '')}"
    return words(key) if words.has(key) else name


def heading(words: Words, name: str) -> str:
    """The same at the beginning of a line."""
    called = label(words, name)
    return called[:1].upper() + called[1:]
