"""What each field of a document and of its lines accepts."""

from collections.abc import Mapping
from decimal import Decimal

from server.kit.errors import Invalid
from server.products import values
from server.records.revising import Rule

LANGUAGES = ("en", "de")


def language(value: object) -> str:
    """A language in which documents are written."""
    written = str(value or "").strip().lower()
    if written not in LANGUAGES:
        raise Invalid(f"“{written}” is no language of documents", help="One of: " + ", ".join(LANGUAGES) + ".")
    return written


def quantity(value: object) -> Decimal:
    """How much; never nothing."""
    much = values.between("-999999999", "999999999", 3)(value)
    if not much:
        raise Invalid("is missing", help="Take the line away instead of ordering nothing.")
    return much


DOCUMENT: Mapping[str, Rule] = {
    "site_id": Rule("Delivered to", values.identity),
    "owner_id": Rule("Whose sale", values.identity),
    "opportunity_id": Rule("Deal", values.identity),
    "country": Rule("Taxed in", values.country),
    "language": Rule("Language", language),
    "day": Rule("Day", values.day),
    "valid_until": Rule("Valid until", values.day),
    "wanted_on": Rule("Wanted on", values.day),
    "reference": Rule("Reference", values.text(200)),
    "payment_terms": Rule("Payment terms", values.text(1000, lines=True)),
    "note": Rule("Note", values.text(5000, lines=True)),
    "internal_note": Rule("Internal note", values.text(5000, lines=True)),
}
"""The editable fields of a document."""

AFTERWARDS = frozenset({"owner_id", "opportunity_id", "wanted_on", "reference", "internal_note"})
"""Fields that may still change when the document has left the house."""

LINE: Mapping[str, Rule] = {
    "text": Rule("Text", values.needed(1000)),
    "quantity": Rule("Quantity", quantity),
    "unit": Rule("Unit", lambda value: values.plain_text(value, 20) or "pc"),
    "unit_price": Rule("Unit price", values.between("0", "9999999999", 4)),
    "discount_percent": Rule("Discount", values.between("0", "100", 3, default="0")),
    "tax_class_id": Rule("Tax class", values.identity),
}
"""The editable fields of a line."""
