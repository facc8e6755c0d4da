"""Imports as they are checked, applied and undone, and what became of their rows."""

from pathlib import Path
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.geocode.types import Answer
from server.accounts import pins
from server.accounts import queries as accounts
from server.accounts.importing.target import TARGET
from server.accounts.models import Account, Site
from server.auth.models import User
from server.imports import queries, service
from server.imports.models import ImportOutcome, ImportRun
from server.records.service import Actor, acting

HASH = text(
    """
    select md5(string_agg(doc, '' order by id)) from (
        select id, (to_jsonb(a) - array['rev', 'frev', 'created_at', 'updated_at'])::text as doc
        from account a where deleted_at is null
        union all
        select id, (to_jsonb(s) - array['rev', 'frev', 'created_at', 'updated_at'])::text || coalesce(st_asewkb(pin)::text, '')
        from site s where deleted_at is null
    ) rows
    """  # noqa: E501
)
"""The business columns of every living row, pins to the last bit."""
HEADER = "number,name,street,city,phone,umsatz,tags,lat,lon\n"
OLD = HEADER + "1,Amann,Weg 1,Vaduz,2371212,100,red,47.1,9.2\n2,Beck,Weg 2,,,,,,\n"
NEW = HEADER + "1,Amann AG,Weg 9,Schaan,2379999,200.50,blue,47.2,9.7\n3,Zech,Weg 3,Vaduz,,,,,\n"


def checked(
    session: Session, tmp_path: Path, content: str | bytes, name: str = "list.csv", **options: Any
) -> ImportRun:
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    service.configure(session, TARGET, run, run.mapping, run.options | options)
    service.check(session, TARGET, run)
    return run


def outcomes(session: Session, run: ImportRun) -> dict[int, ImportOutcome]:
    return {row.row_no: row for row in queries.outcomes(session, run.id)}


def codes(session: Session, run: ImportRun) -> dict[int, list[str]]:
    return {number: [one["code"] for one in row.problems] for number, row in outcomes(session, run).items()}


def run_import(session: Session, tmp_path: Path, content: str, **options: Any) -> ImportRun:
    path = tmp_path / "list.csv"
    path.write_text(content)
    run = service.receive(session, TARGET, path, file_name=path.name, actor=None)
    service.configure(session, TARGET, run, run.mapping, options)
    service.check(session, TARGET, run)
    service.apply(session, TARGET, run)
    return run


def row_hash(session: Session) -> str | None:
    session.flush()
    return session.scalar(HASH)


def numbered(session: Session, number: str) -> Account:
    return session.scalars(select(Account).where(Account.number == number, Account.deleted_at.is_(None))).one()


def main_site(session: Session, account: Account) -> Site:
    return accounts.sites_of(session, [account.id])[0]


def placed_by_machine(session: Session, numbers: str, answer: Answer) -> None:
    found = [numbered(session, number) for number in numbers]
    acting(session, Actor(None, "job"))
    pins.set_by_answers(session, {main_site(session, account).id: answer for account in found})
    pins.align_accounts(session, [account.id for account in found])


def by_hand(session: Session, user: User, account: Account, **values: Any) -> None:
    acting(session, Actor(user.id, "web"))
    for name, value in values.items():
        setattr(account, name, value)
    session.flush()
