"""What is wrong with a body or parameter, in sentences of ours: pydantic's own are English for programmers.

Each is a text of the catalogue, `{label}: ` in front of it, so that pages say it as their reader speaks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

WHOLE = "a whole number is needed."
NUMBER = "a number is needed."
DAY = "a day is needed, as in 2026-11-27."
MOMENT = "a moment with its time zone is needed, as in 2026-11-27T08:30:00+01:00."
TIME = "a time of day is needed, as in 08:30."
ONE_OF = "one of these is needed: {expected}."
IDENTITY = "an id is needed, as in 01890a5d-ac96-774b-bcce-b302099a8057."
LIST = "a list is needed."
OBJECT = "an object with fields is needed."
ADDRESS = "an address is needed, as in https://example.org."

SAID: Mapping[str, str] = {
    "missing": "this is missing.",
    "extra_forbidden": "there is no such field.",
    "json_invalid": "this is no valid JSON.",
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), WHOLE),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing", "finite_number"), NUMBER),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false is needed."),
    **dict.fromkeys(("string_type", "string_unicode"), "a text is needed."),
    "string_too_short": "at least {min_length} characters are needed.",
    "string_too_long": "at most {max_length} characters are possible.",
    "string_pattern_mismatch": "this does not have the form that is needed: {pattern}",
    "too_short": "at least {min_length} entries are needed.",
    "too_long": "at most {max_length} entries are possible.",
    "greater_than": "more than {gt} is needed.",
    "greater_than_equal": "{ge} or more is needed.",
    "less_than": "less than {lt} is needed.",
    "less_than_equal": "{le} or less is needed.",
    "multiple_of": "a multiple of {multiple_of} is needed.",
    "decimal_max_digits": "at most {max_digits} digits are possible.",
    "decimal_max_places": "at most {decimal_places} digits behind the point are possible.",
    "decimal_whole_digits": "at most {whole_digits} digits before the point are possible.",
    **dict.fromkeys(("enum", "literal_error"), ONE_OF),
    **dict.fromkeys(("date_type", "date_parsing", "date_from_datetime_parsing", "date_from_datetime_inexact"), DAY),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing", "timezone_aware"), MOMENT),
    **dict.fromkeys(("time_type", "time_parsing"), TIME),
    **dict.fromkeys(("uuid_type", "uuid_parsing", "uuid_version"), IDENTITY),
    **dict.fromkeys(("list_type", "tuple_type", "set_type", "frozen_set_type"), LIST),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type", "dataclass_type"), OBJECT),
    **dict.fromkeys(("url_type", "url_parsing", "url_syntax_violation", "url_scheme"), ADDRESS),
}
"""Type of an error of pydantic -> what people are told."""


def problem(item: Mapping[str, Any]) -> str:
    """What is wrong, e.g. `a whole number is needed.`; what no text of ours covers is said in pydantic's words."""
    if item["type"] not in SAID:
        return str(item["msg"]).removeprefix("Value error, ").rstrip(".") + "."
    bounds = {name: f"{value:g}" if isinstance(value, float) else value for name, value in item.get("ctx", {}).items()}
    return SAID[item["type"]].format(**{"error": "", **bounds})


def label(place: Sequence[int | str]) -> str:
    """A field as people read it: `Yearly value`, `Lines 2 quantity`; nothing of the place names the whole."""
    parts = [str(part + 1) if isinstance(part, int) else part.replace("_", " ") for part in place[1:]]
    words = " ".join(parts) or str(place[0])
    return words[:1].upper() + words[1:]
