"""What the importer needs to know of orders: a row is a line, and carries the head of its order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from server.accounts.importing.cells import amount as any_amount
from server.accounts.importing.links import (
    ACCOUNT_TITLES,
    IDENTITY,
    PERSON,
    account_link,
    on_day,
    one_of,
    spelled,
)
from server.auth.access import Scope
from server.imports.declared import Declared, ids_by_cell
from server.imports.statements import BY_ID, WAYMARK_ID, Field, Key, Link
from server.imports.targets import Problem, Severity, Written
from server.kit.errors import Invalid
from server.orders import queries
from server.orders.importing import sql
from server.orders.models import Kind, Order, OrderLine
from server.orders.values import DOCUMENT, LINE
from server.products.values import between, needed

KINDS = spelled(order="auftrag bestellung rechnung invoice commande", quote="angebot offerte offer devis")
STATES = spelled(
    sent="gesendet", accepted="angenommen", declined="abgelehnt", expired="abgelaufen",
    placed="bestellt offen open", confirmed="bestätigt", partly_delivered="teilweise_geliefert partial",
    delivered="geliefert completed shipped abgeschlossen invoiced paid bezahlt", cancelled="storniert canceled",
)  # fmt: skip
ALLOWED = {Kind.QUOTE: ("sent", "accepted", "declined", "expired"),
           Kind.ORDER: ("placed", "confirmed", "partly_delivered", "delivered", "cancelled")}  # fmt: skip


def products(session: Session, _scope: Scope | None, cells: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    """Products by number, barcode or name."""
    return ids_by_cell(session, sql.PRODUCTS, cells)


PRODUCT = Link(
    "product",
    "products",
    "the product's number",
    products,
    "Import the products first, or leave it empty.",
    is_shared=True,
)


def number(low: str, high: str, digits: int) -> Any:
    """A number in any usual writing."""
    rule = between(low, high, digits)

    def clean(cell: str) -> Decimal | None:
        found = any_amount(cell.strip().removesuffix("%"))
        if found is None:
            raise Invalid(f"“{cell[:60]}” is not a number", help="Write it like 12.5.")
        return rule(format(found[0].normalize(), "f"))

    return clean


def whole(cell: str) -> int:
    """A position."""
    if not cell.strip().isdigit() or len(cell.strip()) > 6:
        raise Invalid(f"“{cell[:40]}” is no position", help="Write 1, 2, 3, … or leave the column out.")
    return int(cell)


def head(name: str, label: str, titles: str, **more: Any) -> Field:
    """A field of the order, not of its line."""
    value = str(more.get("value") or name)
    present = sql.OF_HEAD.format(column=sql.HEAD[value][0])
    return Field(name, label, titles, is_stored=False, present=present, **more)


def line(name: str, label: str, titles: str, clean: Any, **more: Any) -> Field:
    """A number of the line; what cannot be is an error."""
    return Field(name, label, titles, "numeric", clean, is_strict=True, **more)


class OrderTarget(Declared):
    """Quotes and orders with their lines for the importer."""

    kind = "orders"
    object = "order"
    table = "order_line"
    permission = "orders:write"
    label = "t.text"
    ids = 2
    fields: ClassVar[tuple[Field, ...]] = (
        IDENTITY,
        head("number", "Number", "ordernumber orderno auftragsnummer auftragsnr bestellnummer rechnungsnummer",
             value="order_number", clean=needed(60), is_needed=True),
        head("kind", "Kind", "type typ art", clean=one_of(KINDS), is_strict=True),
        head("state", "State", "status zustand", clean=one_of(STATES), is_strict=True),
        head("day", "Day", "date datum orderdate auftragsdatum bestelldatum", clean=on_day, is_needed=True),
        head("account", "Account", ACCOUNT_TITLES,
             value="account_id", link=account_link("orders:write"), is_needed=True),
        head("owner", "Owner", "verkäufer salesrep besitzer", value="owner_id", link=PERSON),
        head("reference", "Reference", "kundenreferenz customerreference po", clean=DOCUMENT["reference"].clean),
        head("currency", "Currency", "währung devise", clean=sql.currency, is_strict=True),
        head("note", "Note", "notiz bemerkung", clean=DOCUMENT["note"].clean),
        head("internal_note", "Internal note", "interne_notiz", clean=DOCUMENT["internal_note"].clean),
        Field("position", "Position", "pos line zeile", "int", whole, is_strict=True, default=sql.POSITION),
        Field("product", "Product", "productnumber artikel artikelnr artikelnummer sku item", "uuid",
              value="product_id", link=PRODUCT),
        Field("text", "Text", "description bezeichnung beschreibung artikelbezeichnung productname",
              clean=LINE["text"].clean, default=sql.PRODUCT_NAME),
        line("quantity", "Quantity", "menge qty anzahl stück", number("0.001", "999999999", 3), is_needed=True),
        Field("unit", "Unit", "einheit me", clean=LINE["unit"].clean, default=sql.PRODUCT_UNIT),
        line("unit_price", "Unit price", "price preis einzelpreis unitprice", number("0", "9999999999", 4),
             is_needed=True),
        line("discount_percent", "Discount %", "discount rabatt", number("0", "100", 3), default="0"),
        line("tax_percent", "Tax %", "tax mwst ust vat steuer", number("0", "100", 3), default="0"),
        line("delivered", "Delivered", "geliefert", number("0", "999999999", 3), default=sql.DELIVERED),
    )  # fmt: skip
    keys_by_name: ClassVar = {
        WAYMARK_ID: BY_ID,
        "line": Key("Number and position", sql.LINE_KEY, sql.LINE),
    }
    made: ClassVar = sql.MADE
    first = sql.HEADS
    more = sql.FOLLOW

    def __init__(self) -> None:
        super().__init__()
        lines = Written("order_line", (*self.tables[0].columns, "order_id", "amount"))
        heads = tuple(column for column, _ in sql.HEAD.values())
        derived = frozenset({"net", "tax", "gross"})
        self.tables = (Written("sales_order", (*heads, "placed_at", "closed_at"), derived=derived), lines)

    def refused_sql(self) -> str:
        """Also what belongs to an order that was written here, and rows that contradict each other."""
        return super().refused_sql() + " union all " + sql.REFUSED

    def places_sql(self) -> str:
        """Also the order's own fields."""
        return super().places_sql() + " union all " + sql.PLACES

    def records_sql(self) -> str:
        """Orders with their lines."""
        return sql.RECORDS

    def within_reach(self, scope: Scope) -> Select[UUID]:
        """The lines of orders that somebody may change."""
        theirs = queries.visible_to(scope, self.permission).with_only_columns(Order.id)
        return select(OrderLine.id).where(OrderLine.order_id.in_(theirs))

    def complete(self, values: dict[str, Any], problems: list[Problem], around: Any) -> None:
        """A state that its kind knows; a line says what is sold; without a tax there is none."""
        kind = Kind(values.get("kind", Kind.ORDER))
        if "state" in values and values["state"] not in ALLOWED[kind]:
            words = (
                f"State: {kind.value}s are not {values['state'].replace('_', ' ')}. One of: {', '.join(ALLOWED[kind])}."
            )
            problems.append(Problem(Severity.ERROR, "state", "wrong_state", words))
        if "id" not in values and not {"text", "product_id"} & values.keys():
            problems.append(Problem(Severity.ERROR, "text", "no_text", "Product and text: both are missing."))
        if "tax_percent" not in values and "id" not in values:
            problems.append(Problem(Severity.WARNING, "tax_percent", "no_tax", "Tax %: is missing; 0 is taken."))

    def restored(self, session: Session, record_ids: Sequence[UUID]) -> None:
        """The sums of orders whose lines went or went back."""
        session.execute(text(sql.SUMS.format(which=sql.UNDONE)))


def target(session: Session) -> OrderTarget:
    """Quotes and orders with their lines."""
    del session
    return OrderTarget()
