"""Contacts as files: CSV and XLSX of what somebody may export, with what may be done with each address."""

import csv
import io
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from itertools import batched
from typing import IO, Any

from openpyxl import Workbook
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.contacts import queries
from server.contacts.consent import allowed
from server.contacts.models import Channel, Contact, Purpose
from server.contacts.vcards import card
from server.fields.queries import fields_of
from server.fields.values import in_words, shape_of
from server.kit.filtering.guard import exports_in_time
from server.kit.spreadsheets import harmless

BATCH = 1000
IN_MEMORY = 8_000_000
COLUMNS = (
    "waymark_id", "prefix", "first_name", "last_name", "title", "mail", "more_mails", "phone", "more_phones",
    "languages", "birthday", "account_number", "account", "roles", "more_accounts", "do_not_contact", "reason",
    "marketing_by_mail", "marketing_by_phone", "note",
)  # fmt: skip


class Format(StrEnum):
    """The kinds of file."""

    CSV = "csv"
    XLSX = "xlsx"
    VCF = "vcf"


MEDIA_TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.VCF: "text/vcard; charset=utf-8",
}


def values(row: queries.Row, may_mail: bool, may_phone: bool) -> dict[str, Any]:
    """One contact's values by column."""
    one, first = row.contact, row.places[0] if row.places else None
    mails, phones = [mail["value"] for mail in one.mails], [phone["value"] for phone in one.phones]
    return {
        **{name: getattr(one, name) for name in ("prefix", "first_name", "last_name", "title", "birthday", "note")},
        "waymark_id": str(one.id),
        "mail": mails[0] if mails else None,
        "more_mails": ", ".join(mails[1:]) or None,
        "phone": phones[0] if phones else None,
        "more_phones": ", ".join(phones[1:]) or None,
        "languages": ", ".join(one.languages) or None,
        "account_number": first.account_number if first else None,
        "account": first.account_name if first else None,
        "roles": ", ".join(first.link.roles) or None if first else None,
        "more_accounts": ", ".join(place.account_name for place in row.places[1:]) or None,
        "do_not_contact": "yes" if one.do_not_contact else None,
        "reason": one.do_not_contact_reason,
        "marketing_by_mail": "yes" if may_mail else "no",
        "marketing_by_phone": "yes" if may_phone else "no",
    }


def lines(session: Session, scope: Scope, *, filter: str | None, search: str | None) -> Iterator[list[Any]]:
    """The header, then one line for each contact by name, read in batches."""
    own = [(one.key, shape_of(one)) for one in fields_of(session, "contact")]
    columns = [name for name in COLUMNS if scope.asks("contact", name)]
    yield [*columns, *(shape.label for _, shape in own)]
    reach = [allowed(channel, Purpose.MARKETING) for channel in (Channel.MAIL, Channel.PHONE)]
    statement = queries.chosen(session, scope, filter=filter, search=search, permission="contacts:export")
    ordered = statement.add_columns(*reach).order_by(queries.SORTS["name"], Contact.id)
    found = session.execute(ordered.execution_options(yield_per=BATCH))
    for part in batched(found, BATCH):
        rows = queries.with_places(session, scope, [contact for contact, *_ in part])
        for row, (_, may_mail, may_phone) in zip(rows, part, strict=True):
            cells = values(row, bool(may_mail), bool(may_phone))
            yield [cells[name] for name in columns] + [
                in_words(shape, row.contact.custom.get(key)) for key, shape in own
            ]


@exports_in_time
def export(
    session: Session, scope: Scope, kind: Format, *, filter: str | None = None, search: str | None = None
) -> IO[bytes]:
    """A file of the contacts that somebody may export, open at its beginning; large ones lie on disk."""
    file = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 -- the caller streams and closes it
    if kind is Format.VCF:
        statement = queries.chosen(session, scope, filter=filter, search=search, permission="contacts:export")
        found = session.scalars(statement.order_by(queries.SORTS["name"]).execution_options(yield_per=BATCH))
        for part in batched(found, BATCH):
            for row in queries.with_places(session, scope, part):
                file.write(card(row).encode())
    elif kind is Format.CSV:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        writer = csv.writer(text)
        for line in lines(session, scope, filter=filter, search=search):
            writer.writerow([harmless(cell) for cell in line])
        text.flush()
        text.detach()
    else:
        book = Workbook(write_only=True)
        sheet = book.create_sheet("Contacts")
        for line in lines(session, scope, filter=filter, search=search):
            sheet.append([harmless(cell) for cell in line])
        book.save(file)
    file.seek(0)
    return file
