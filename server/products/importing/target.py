"""What the importer needs to know of products: columns with their titles, the rule of one row, tables."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select
from sqlalchemy.orm import Session

from server.imports.models import ImportRun
from server.imports.statements import NONE_IN_USE, NOTHING_ODD
from server.imports.targets import Advice, Checked, Column, Problem, Progress, Severity, Written
from server.kit.errors import Invalid
from server.products import queries, values
from server.products.importing import sql
from server.products.models import PriceList
from server.products.money import plain
from server.products.values import PRODUCT
from server.records.revising import cleaned

COLUMNS: tuple[Column, ...] = (
    Column("number", "Number", tuple("number artikelnummer artikelnr artnr nummer nr sku itemno reference".split())),
    Column("name", "Name", tuple("name bezeichnung artikel produkt product designation item titel title".split())),
    Column("description", "Description", tuple("description beschreibung text langtext".split())),
    Column("category", "Category", tuple("category kategorie warengruppe group".split()), None, ("category_id",)),
    Column("unit", "Unit", tuple("unit einheit me mengeneinheit unite".split())),
    Column("pack_size", "Pack size", tuple("packsize pack gebinde verpackung ve packung".split())),
    Column("min_quantity", "Least quantity", tuple("minquantity mindestmenge minimum moq".split())),
    Column("quantity_step", "Quantity step", tuple("quantitystep schritt staffelung step".split())),
    Column("tax_class", "Tax class", tuple("taxclass steuerklasse steuer mwst ust vat tax".split()), None,
           ("tax_class_id",)),
    Column("active", "Active", tuple("active aktiv".split()), None, ("is_active",)),
    Column("ean", "Barcode", tuple("ean gtin barcode strichcode upc".split())),
    Column("price", "Price", tuple("price preis vk verkaufspreis listenpreis prix".split()), None,
           ("price", "price_list")),
    Column("stock", "Stock", tuple("stock bestand lager lagerbestand menge quantity".split()), None,
           ("stock", "warehouse")),
)  # fmt: skip

PLAIN = ("number", "name", "description", "unit", "pack_size", "min_quantity", "quantity_step", "ean")


class ProductTarget:
    """Products for the importer."""

    kind = "products"
    columns = COLUMNS
    keys: Mapping[str, str] = {"number": "Number"}
    ids = 3
    money: Sequence[str] = ()
    needs: tuple[tuple[str, ...], ...] = (("name",),)
    tables: tuple[Written, ...] = (
        Written("product", tuple(sql.TYPES), unique=("number", "ean")),
        Written("price", ("price_list_id", "product_id", "min_quantity", "unit_price")),
        Written("stock_level", ("product_id", "warehouse", "quantity", "as_of"), followers=frozenset({"as_of"})),
    )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse a price list that is no id."""
        values.identity(options.get("price_list"))

    def key_sql(self, key: str) -> str:
        """By number."""
        return sql.KEY

    def current_sql(self) -> str:
        """The products that rows mean, with price and stock."""
        return sql.CURRENT

    def refused_sql(self) -> str:
        """New products without name, and barcodes that are taken."""
        return sql.REFUSED

    def odd_sql(self) -> str:
        """Nothing looks odd beside other rows."""
        return NOTHING_ODD

    def reach(self, session: Session, run: ImportRun) -> Select[UUID] | None:
        """Whoever may write the catalogue may write all of it."""
        return None

    def places_sql(self) -> str:
        """Product, price and stock."""
        return sql.PLACES

    def records_sql(self) -> str:
        """Products with their prices and stock."""
        return sql.RECORDS

    def causes_sql(self) -> str:
        """None: nothing here is repaired or merged in one go."""
        return "select null::uuid as op_id, null::text as why, false as is_undone where false"

    def in_use_sql(self) -> str:
        """No product stays for a reason of its own."""
        return NONE_IN_USE

    def restored(self, session: Session, record_ids: Sequence[UUID]) -> None:
        """Nothing follows from a product."""

    def advice(self, session: Session, sample: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> Sequence[Advice]:
        """No columns of products are easily exchanged."""
        return ()

    def row_rule(self, session: Session, run: ImportRun) -> Callable[[Mapping[str, str]], Checked]:
        """The rule of one row, knowing categories, tax classes and the price list."""
        branches = {path.casefold(): key for key, path in queries.categories(session)}
        branches |= {path.rpartition(" / ")[2].casefold(): key for key, path in queries.categories(session)}
        taxes = {one.name.casefold(): one.id for one in queries.tax_classes(session)}
        wanted = values.identity(run.options.get("price_list"))
        into = session.get(PriceList, wanted) if wanted else None
        return lambda row: read(row, branches, taxes, into.id if into else None)

    def write(self, session: Session, run: ImportRun, progress: Progress) -> None:
        """Write the rows."""
        sql.write(session, run.id)
        progress(run.row_count, run.row_count, run.counts)


def read(
    row: Mapping[str, str], branches: Mapping[str, UUID], taxes: Mapping[str, UUID], price_list: UUID | None
) -> Checked:
    """What one row means; what is not known is left out with a warning, what cannot be is an error."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []

    def taken(column: str, rule: Callable[[], Any], field: str) -> None:
        try:
            value = rule()
        except Invalid as error:
            words = f"{error.message}{'' if error.message.endswith('.') else '.'} {error.help}".strip()
            problems.append(Problem(Severity.ERROR, column, "invalid", words))
            return
        if value is not None:
            found[field] = plain(value) if isinstance(value, Decimal) else value

    def known(column: str, names: Mapping[str, UUID], field: str) -> None:
        key = names.get(" ".join(row[column].split()).casefold())
        if key is not None:
            found[field] = str(key)
        else:
            words = f"“{row[column]}” is not known; it is left out."
            problems.append(Problem(Severity.WARNING, column, "unknown", words))

    if "number" not in row:
        problems.append(Problem(Severity.ERROR, "number", "missing", "The number is missing."))
    for name in PLAIN:
        if name in row:
            taken(name, lambda name=name: cleaned(PRODUCT, name, row[name]), name)  # type: ignore[misc]
    if "active" in row:
        taken("active", lambda: cleaned(PRODUCT, "is_active", row["active"]), "is_active")
    if "category" in row:
        known("category", branches, "category_id")
    if "tax_class" in row:
        known("tax_class", taxes, "tax_class_id")
    if "price" in row and price_list is None:
        words = "No price list is chosen; the price is left out."
        problems.append(Problem(Severity.WARNING, "price", "no_list", words))
    elif "price" in row:
        taken("price", lambda: values.UNIT_PRICE.clean(row["price"]), "price")
        found["price_list"] = str(price_list)
    if "stock" in row:
        taken("stock", lambda: values.decimal(row["stock"], 3), "stock")
    return Checked(found, problems)


TARGET = ProductTarget()
