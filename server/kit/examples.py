"""Examples of request bodies for the API's description: those that a schema brings along, else made from its fields."""

from collections.abc import Mapping
from typing import Any

BY_FORMAT = {
    "uuid": "01990000-0000-7000-8000-000000000000",
    "date": "2030-03-29",
    "date-time": "2030-03-29T09:30:00Z",
    "time": "09:30:00",
    "email": "rita@example.com",
    "uri": "https://example.com",
    "binary": "",
    "decimal": "12.50",
}
BY_NAME = {
    "language": "en",
    "zone": "Europe/Vaduz",
    "currency": "EUR",
    "email": "rita@example.com",
    "requester_email": "rita@example.com",
    "country": "LI",
    "url": "https://example.com/hook",
    "lon": 9.52,
    "lat": 47.14,
    "filter": 'city = "Vaduz"',
}
"""Fields of a meaning that every room knows by the same name."""
DEEPEST = 8


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Give every JSON body of an OpenAPI document an example that has none, and every JSON answer of success."""
    schemas = document.get("components", {}).get("schemas", {})
    for methods in document["paths"].values():
        for operation in methods.values():
            good = [answer for status, answer in operation.get("responses", {}).items() if status.startswith("2")]
            for told in (operation.get("requestBody", {}), *good):
                content = told.get("content", {}).get("application/json")
                if content and content.get("schema") and not {"example", "examples"} & content.keys():
                    content["example"] = example_of(content["schema"], schemas)
    return document


def example_of(schema: Mapping[str, Any], schemas: Mapping[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value that fits a JSON schema; of an object with fields that must be there, only those."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas, name, depth + 1)
    if schema.get("examples"):
        return schema["examples"][0]
    for known in ("const", "default"):
        if schema.get(known) is not None:
            return schema[known]
    if "enum" in schema:
        return schema["enum"][0]
    for many in ("anyOf", "oneOf", "allOf"):
        if many in schema:
            first = next((one for one in schema[many] if one.get("type") != "null"), schema[many][0])
            return example_of(first, schemas, name, depth + 1)
    kind = schema.get("type", "object")
    if name in BY_NAME and kind in ("string", "number"):
        return BY_NAME[name]
    if kind == "object":
        return _object(schema, schemas, depth)
    if kind == "array":
        least = max(schema.get("minItems", 0), 0 if depth > DEEPEST else 1)
        return [example_of(schema.get("items", {"type": "string"}), schemas, name, depth + 1)] * least
    return _plain(schema, kind, name)


def _object(schema: Mapping[str, Any], schemas: Mapping[str, Any], depth: int) -> dict[str, Any]:
    fields = schema.get("properties", {})
    wanted = schema.get("required") or ([] if depth > DEEPEST else list(fields)[:1])
    return {field: example_of(fields[field], schemas, field, depth + 1) for field in wanted if field in fields}


def _plain(schema: Mapping[str, Any], kind: str, name: str) -> Any:
    if kind == "boolean":
        return True
    if kind in ("integer", "number"):
        low = schema.get("minimum", schema.get("exclusiveMinimum", 0) + ("exclusiveMinimum" in schema))
        return min(max(low, 1), schema.get("maximum", max(low, 1)))
    if schema.get("format") in BY_FORMAT:
        return BY_FORMAT[schema["format"]]
    written = name.replace("_", " ").capitalize() or "Text"
    least, most = schema.get("minLength", 0), schema.get("maxLength", 1000)
    return written.ljust(least, "x")[:most]
