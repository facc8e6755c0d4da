"""A database of its own for a benchmark, filled with a labelled company."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from labelled import Row

from server.kit.ids import uuid7


@contextmanager
def home() -> Iterator[None]:
    """An embedded database in a folder that goes away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="waymark-duplicates-"))
    folder.chmod(0o755)
    os.environ.pop("WAYMARK_DATABASE_URL", None)
    os.environ["WAYMARK_HOME"] = str(folder)
    from server import migrations
    from server.kit import embedded
    from server.kit.database import engine

    try:
        migrations.upgrade(engine())
        yield
    finally:
        engine().dispose()
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def load(rows: Sequence[Row]) -> dict[UUID, Row]:
    """Store a company's customers in place of what is there; returns them by id."""
    from sqlalchemy import text

    from server.kit.database import copy_rows, transaction

    ids = {uuid7(): row for row in rows}
    with transaction() as session:
        session.execute(text("set local sync.suppress = 'on'"))
        session.execute(text("truncate account, site, field_history cascade"))
        columns = ("id", "name", "phone", "phone_e164", "email", "website")
        copy_rows(
            session, "account", columns, ((i, r.name, r.phone, r.phone, r.email, r.website) for i, r in ids.items())
        )
        copy_rows(
            session,
            "site",
            ("id", "account_id", "is_main", "street", "postcode", "city", "country", "pin", "pin_state"),
            (
                (
                    uuid7(), i, True, r.street, r.postcode, r.city, r.spot.country,
                    f"SRID=4326;POINT({r.point[0]} {r.point[1]})" if r.point else None,
                    "placed" if r.point else "failed",
                )
                for i, r in ids.items()
            ),
        )  # fmt: skip
        session.execute(text("analyze account, site"))
    return ids
