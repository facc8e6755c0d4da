"""A company of two reps, their manager and two territories, with real commits."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from mobile.field.store import clock
from server.auth.models import Role
from tests.server.sync.field_phone import FieldPhone, Network
from tests.server.sync.world import Json, Phone, World, found


@pytest.fixture
def world(app: FastAPI, empty_database: Engine) -> Iterator[World]:
    """Rita works the west, Otto the east; Mona leads both."""
    with TestClient(app, raise_server_exceptions=False) as client:
        world = World(client)
        found(world)
        yield world


@pytest.fixture
def phone(world: World, tmp_path: Path) -> Iterator[FieldPhone]:
    """Rita's, which has not synced yet."""
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    yield phone
    phone.close()


def row(world: World, table: str, **values: Any) -> UUID:
    """A row with the given values."""
    row_id = uuid4()
    names = ", ".join(values)
    world.sql(
        f"insert into {table} (id, {names}) values (:id, {', '.join(':' + name for name in values)})",
        id=row_id,
        **values,
    )
    return row_id


def everything_at(world: World, account: UUID) -> dict[str, UUID]:
    """One row of each kind at an account."""
    owner = world.users["mona"]
    contact = row(world, "contact", last_name="Näscher", phones='[{"label": "M", "value": "079"}]', note="Golf")
    queue = row(world, "ticket_queue", name="Service", form_key=f"k{account}", hours="24/7", zone="UTC", targets="{}")
    pipeline = row(world, "pipeline", name=f"New {account}")
    stage = row(world, "stage", pipeline_id=pipeline, name="Offer", position=1, probability="0.5", category="pipeline")
    deal = row(
        world, "opportunity", name="Branch", account_id=account, pipeline_id=pipeline, stage_id=stage,
        amount="12000", close_on=date(2027, 1, 31), next_step="Call",
    )  # fmt: skip
    return {
        "contact": contact,
        "contact_account": row(world, "contact_account", contact_id=contact, account_id=account),
        "ticket": row(
            world, "ticket", number=world.sql("select count(*) from ticket")[0][0] + 1, queue_id=queue,
            account_id=account, subject="Drips", source="web", opened_at=clock.now(),
        ),
        "opportunity": deal,
        "stage_change": row(
            world, "stage_change", opportunity_id=deal, account_id=account, to_stage_id=stage, by=owner, currency="EUR",
        ),
        "mail": row(
            world, "activity", kind="mail", account_id=account, owner_id=owner, subject="Twelve more", zone="UTC",
            at=clock.now(), state="done", direction="in", sender="anna@bakery.li", note="We need twelve " * 100,
        ),
        "activity": row(
            world, "activity", kind="task", account_id=account, owner_id=owner, subject="Bring it", zone="UTC",
            at=clock.now(), is_private=True,
        ),
        "order": row(
            world, "sales_order", kind="order", account_id=account, currency="EUR", day=clock.now().date(), zone="UTC",
            internal_note="Secret",
        ),
        "note": row(world, "note", account_id=account, author_id=owner, text="Deliver through the yard " * 200),
        "lead": row(
            world, "lead", company="Café",
            territory_id=world.sql("select territory_id from account where id = :id", id=account)[0][0],
        ),
    }  # fmt: skip


@pytest.fixture
def account(world: World) -> UUID:
    """An account whose phone number Rita and the office changed differently."""
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set phone = '9' where id = :id", id=account)
    phone.edit("account", account, phone="2")
    phone.push()
    return account


def asked(phone: Phone) -> Json:
    """The conflict that the last verdict told the phone of."""
    clash: Json = next(one["conflicts"][0] for one in phone.results.values() if "conflicts" in one)
    return clash


def rita_and_the_office(world: World) -> tuple[Phone, UUID]:
    """Rita wrote 2, the office 9: her phone asks her."""
    account = world.account("Bakery", "west", phone="1")
    phone = world.phone("rita")
    phone.sync()
    world.sql("update account set phone = '9' where id = :id", id=account)
    phone.edit("account", account, phone="2")
    phone.sync()
    return phone, account


def answer(phone: Phone, account: UUID, wanted: str, **more: Any) -> Json:
    """What Rita says to it."""
    rev, row = phone.rows["account", str(account)]
    return phone.save(
        "patch",
        "account",
        account,
        base_rev=rev,
        f={"phone": [row["phone"], wanted]},
        decides=asked(phone)["id"],
        **more,
    )


@pytest.fixture
def rita(world: World, tmp_path: Path) -> Iterator[FieldPhone]:
    """The real phone of a rep."""
    world.user("ada", Role.ADMIN)
    phone = FieldPhone(world, "rita", tmp_path, Network(world.client, random.Random(1)))
    phone.sync()
    yield phone
    phone.close()
