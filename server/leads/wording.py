"""Reasons in words: why somebody got a lead, and what its score is made of. The codes are stored, the words are not."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol


class Say(Protocol):
    """Puts a sentence into somebody's language."""

    def __call__(self, text: str, /, **values: object) -> str:
        """The sentence with its gaps filled in."""


def plainly(text: str, /, **values: object) -> str:
    """In English."""
    return text.format(**values) if values else text


BECAUSE: Mapping[str, str] = {
    "account": "It looks like the account “{account}”, whose owner gets it.",
    "rule": "Rule “{rule}” fits.",
    "territory": "It lies in the territory “{territory}”.",
    "nowhere": "It lies in no territory.",
    "unplaced": "Its place is not known.",
    "away": "Away today: {names}.",
    "full": "With {most} open leads or more already: {names}.",
    "all_full": "Everybody has {most} open leads or more.",
    "only": "{who} is the only one who can take it.",
    "most_room": "{who} has the most room of {n}: {open} open leads, {hours} of {able} hours a week.",
    "turn": "{n} have equal room, and it is {who}'s turn.",
    "nobody": "Nobody works there.",
    "person": "The rule names {who}.",
    "inactive": "The rule names somebody who is not there any more.",
    "by_hand": "{by} gave it to {who}.",
    "taken_away": "{by} took it back.",
    "keeps": "{who} brought it and keeps it.",
}
"""Why somebody got a lead, by the code of each step."""

FACTORS: Mapping[str, tuple[str, str]] = {
    "drive_min": ("{n} min of driving from the rep's base", "The drive is not known"),
    "customers_2km": ("{n} customers within 2 km", "No customer within 2 km"),
    "customers_10km": ("{n} customers within 10 km", "No customer within 10 km"),
    "prospects_1km": ("{n} firms within 1 km", "No other firm within 1 km"),
    "territory_share": ("{n} % of the leads decided there before were won", "No lead was decided there before"),
    "has_pin": ("The place is known", "The place is not known"),
    "has_phone": ("Gave a phone number", "Gave no phone number"),
    "has_email": ("Gave an e-mail address", "Gave no e-mail address"),
    "own_domain": ("Writes from a domain of their own", "Has no mail domain of their own"),
    "has_company": ("Named a company", "Named no company"),
    "words": ("Wrote {n} words", "Wrote no message"),
    "value": ("Expects to buy for {n} a year", "Named no amount"),
    "has_campaign": ("Came through a campaign", "Came through no campaign"),
    "from_form": ("Came by a web form", "Did not come by a web form"),
    "from_api": ("Came from another program", "Did not come from another program"),
    "from_import": ("Came in a list", "Did not come in a list"),
    "from_map": ("Was met in the field", "Was not met in the field"),
    "from_referral": ("Was recommended", "Was not recommended"),
    "from_fair": ("Was met at a fair", "Was not met at a fair"),
}  # fmt: skip
"""What the model looks at: the words where it is there, and where it is not."""


def because(steps: Iterable[Mapping[str, Any]], say: Say = plainly) -> str:
    """Why somebody got a lead, in sentences."""
    return " ".join(say(BECAUSE[step["code"]], **{k: v for k, v in step.items() if k != "code"}) for step in steps)


def reason(one: Mapping[str, Any], say: Say = plainly) -> str:
    """One reason of a score: a rule's own sentence, or what the model saw."""
    if one["kind"] == "rule":
        return str(one["sentence"])
    there, missing = FACTORS[one["factor"]]
    value = one["value"]
    return say(there, n=round(value)) if value else say(missing)


def reasons(found: Iterable[Mapping[str, Any]], say: Say = plainly) -> list[str]:
    """All reasons of a score in words, each with its direction."""
    return [f"{'+' if one['weight'] >= 0 else '-'} {reason(one, say)}" for one in found]
