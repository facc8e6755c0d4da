"""A small company with real transactions, and a phone reduced to what the protocol demands of one."""

import base64
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from fastapi.testclient import TestClient
from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon, box
from sqlalchemy import text

from server.accounts.models import Account, Site
from server.auth import tokens
from server.auth.models import Role, Team, TeamMember, User
from server.contacts.models import Contact, ContactAccount
from server.kit import clock
from server.kit.database import transaction
from server.territories.models import Territory, TerritoryMember

Json = dict[str, Any]

WORKS_ALWAYS = """
insert into rep_profile (user_id, shift_start, shift_end, weekdays, break_earliest, break_latest)
select id, '00:00', '23:59:59.999999', '{0,1,2,3,4,5,6}', null, null from app_user where role = 'rep'
"""
RECORDS = "insert into phone_rules (tracks_since) values (now() - interval '1 day')"
"""The company records the ways of its reps, and all of them work day and night."""


@lru_cache(maxsize=1)
def private_key() -> ec.EllipticCurvePrivateKey:
    """Any P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


@lru_cache(maxsize=1)
def public_key() -> str:
    """Its public part."""
    der = private_key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


@dataclass
class World:
    """What the tests do to the company."""

    client: TestClient
    users: dict[str, UUID] = field(default_factory=dict)
    territories: dict[str, UUID] = field(default_factory=dict)

    def user(self, login: str, role: Role = Role.REP) -> UUID:
        """Somebody without a password."""
        with transaction() as session:
            user = User(login=login, name=login.title(), role=role.value)
            session.add(user)
            session.flush()
            self.users[login] = user.id
        return user.id

    def team(self, name: str, members: Iterable[str]) -> None:
        """A team."""
        with transaction() as session:
            team = Team(name=name)
            session.add(team)
            session.flush()
            session.add_all(TeamMember(team_id=team.id, user_id=self.users[login]) for login in members)

    def territory(self, name: str, west: float) -> UUID:
        """A square of half a degree."""
        with transaction() as session:
            area = from_shape(MultiPolygon([box(west, 47.0, west + 0.5, 47.5)]), srid=4326)
            territory = Territory(name=name, colour="#0072B2", area=area)
            session.add(territory)
            session.flush()
            self.territories[name] = territory.id
        return territory.id

    def grant(self, login: str, territory: str) -> None:
        """Have somebody work a territory."""
        with transaction() as session:
            session.add(
                TerritoryMember(
                    territory_id=self.territories[territory],
                    user_id=self.users[login],
                    valid_from=clock.now().date() - timedelta(days=30),
                )
            )

    def revoke(self, login: str, territory: str) -> None:
        """Take a territory from somebody."""
        self.sql(
            "update territory_member set valid_to = current_date - 2"
            " where user_id = :user and territory_id = :territory and valid_to is null",
            user=self.users[login],
            territory=self.territories[territory],
        )

    def account(self, name: str, territory: str | None, **more: Any) -> UUID:
        """An account with one site."""
        area = self.territories[territory] if territory else None
        with transaction() as session:
            account = Account(name=name, territory_id=area, **more)
            session.add(account)
            session.flush()
            session.add(Site(account_id=account.id, is_main=True, city="Town", territory_id=area))
        return account.id

    def person(self, account_id: UUID, last_name: str = "Näscher", **more: Any) -> UUID:
        """Somebody at an account."""
        with transaction() as session:
            contact = Contact(last_name=last_name, **more)
            session.add(contact)
            session.flush()
            session.add(ContactAccount(contact_id=contact.id, account_id=account_id))
        return contact.id

    def visit(self, account_id: UUID, login: str, day: date | None = None) -> UUID:
        """A planned visit."""
        visit_id = uuid4()
        self.sql(
            "insert into visit (id, account_id, site_id, rep_id, day, zone) select :id, :account, s.id, :rep, :day,"
            " 'Europe/Vaduz' from site s where s.account_id = :account",
            id=visit_id,
            account=account_id,
            rep=self.users[login],
            day=day or clock.now().date(),
        )
        return visit_id

    def move(self, account_id: UUID, territory: str | None) -> None:
        """Put an account and its site into another territory, by hand."""
        area = self.territories[territory] if territory else None
        with transaction() as session:
            session.execute(
                text("update site set territory_id = :t where account_id = :a"), {"t": area, "a": account_id}
            )
            session.execute(text("update account set territory_id = :t where id = :a"), {"t": area, "a": account_id})

    def sql(self, statement: str, **values: Any) -> list[Any]:
        """Any statement, committed."""
        with transaction() as session:
            result: Any = session.execute(text(statement), values)
            return list(result) if result.returns_rows else []

    def register(self, login: str) -> tuple[UUID, str]:
        """A device of somebody and its access token."""
        device_id, access, _ = self.registered(login)
        return device_id, access

    def registered(self, login: str) -> tuple[UUID, str, str]:
        """A device of somebody, its access and its refresh token."""
        with transaction() as session:
            user = session.get_one(User, self.users[login])
            device = tokens.register_device(session, user, name="phone", platform="test", key=public_key())
            access, refresh = tokens.issue(session, device)
        return device.id, access, refresh

    def phone(self, login: str) -> "Phone":
        """A registered phone."""
        device_id, access = self.register(login)
        return Phone(self.client, device_id, access)


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, body: Json) -> None:
        super().__init__(f"{status} {body}")
        self.status, self.body, self.code = status, body, body.get("code")


Net = Callable[[Callable[[], Json]], Json]


def calm(send: Callable[[], Json]) -> Json:
    """A network without faults."""
    return send()


@dataclass
class Phone:
    """The least that a phone does: a journal of ops that never forgets, and a cache that may."""

    client: TestClient
    device_id: UUID
    access: str
    net: Net = calm
    schema: int = 1
    epoch: str | None = None
    journal: list[Json] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)
    results: dict[int, Json] = field(default_factory=dict)
    rows: dict[tuple[str, str], tuple[int, Json]] = field(default_factory=dict)
    members: set[tuple[int, str, str]] = field(default_factory=set)
    cursors: dict[int, str | None] = field(default_factory=dict)

    def call(self, path: str, message: Json) -> Json:
        """One message and its answer."""

        def send() -> Json:
            answer = self.client.post(path, json=message, headers={"Authorization": f"Bearer {self.access}"})
            body: Json = answer.json()
            if answer.status_code >= 400:
                raise Refused(answer.status_code, body)
            return body

        return self.net(send)

    # capture

    def save(self, k: str, e: str, row_id: UUID | str, **rest: Any) -> Json:
        """Write an op into the journal."""
        n = len(self.journal) + 1
        op = {"n": n, "op_id": str(uuid4()), "k": k, "e": e, "id": str(row_id), **rest}
        self.journal.append(op)
        self.states[n] = "queued"
        return op

    def edit(self, e: str, row_id: UUID | str, **changes: Any) -> Json:
        """Change fields as the rep sees them."""
        rev, _ = self.rows[e, str(row_id)]
        seen = self.seen(e, str(row_id))
        return self.save("patch", e, row_id, base_rev=rev, f={name: [seen[name], new] for name, new in changes.items()})

    def seen(self, e: str, row_id: str) -> Json:
        """A row with the unsent changes laid over it."""
        shown = dict(self.rows[e, row_id][1])
        for op in self.journal:
            if op["k"] == "patch" and (op["e"], op["id"]) == (e, row_id) and self.states[op["n"]] == "queued":
                shown |= {name: new for name, (_, new) in op["f"].items()}
        return shown

    def event(self, account_id: UUID | str, state: str = "done", visit_id: UUID | None = None, **more: Any) -> Json:
        """Something that happened at a visit."""
        d = {
            "visit_id": str(visit_id or uuid4()),
            "account_id": str(account_id),
            "site_id": None,
            "day": clock.now().date().isoformat(),
            "zone": "Europe/Vaduz",
            "state": state,
            "outcome": "order" if state == "done" else None,
            "note": None,
            "checkin": None,
        }
        return self.save("create", "visit_event", uuid4(), d=d | more)

    # sync

    def hello(self, **more: Any) -> Json:
        """The first message."""
        greeting = {
            "protocol": [1],
            "app": "0.1.0",
            "schema": self.schema,
            "device": str(self.device_id),
            "epoch": self.epoch,
            "max_n": len(self.journal),
            "tz": "Europe/Vaduz",
            "wall": clock.now().isoformat(),
            "mono_ms": 1000,
            "boot": "boot",
            "free_mb": 1000,
            "pending": {"ops": 0, "blobs": 0, "oldest": None},
        }
        return self.call("/sync/v1/hello", greeting | more)

    def align(self, reply: Json) -> None:
        """Queue again whatever the server does not know; follow a changed epoch."""
        for op in self.journal:
            if op["n"] > reply["last_n"]:
                self.states[op["n"]] = "queued"
        if self.epoch != reply["epoch"]:
            self.rows, self.members, self.cursors = {}, set(), {}
            self.epoch = reply["epoch"]
        for bucket in reply["buckets"]:
            self.cursors.setdefault(bucket["id"], None)

    def push(self, limit: int = 100) -> list[Json]:
        """Send what waits; returns the verdicts."""
        verdicts: list[Json] = []
        while batch := [op for op in self.journal if self.states[op["n"]] == "queued"][:limit]:
            reply = self.call("/sync/v1/push", {"epoch": self.epoch, "ops": batch})
            for result in reply["results"]:
                self.states[result["n"]] = result["status"]
                self.results[result["n"]] = result
            verdicts += reply["results"]
        return verdicts

    def pull(self, limit: int = 2000, pages: int = 1000) -> int:
        """Read pages until there are no more; returns how many rows came."""
        count = 0
        for _ in range(pages):
            groups = [{"cursor": cursor, "buckets": [bucket]} for bucket, cursor in sorted(self.cursors.items())]
            reply = self.call("/sync/v1/pull", {"epoch": self.epoch, "groups": groups, "limit": limit})
            count += self.apply(reply)
            unread = [bucket for bucket in self.cursors if self.cursors[bucket] is None]
            if not reply["more"] and not unread:
                break
        return count

    def apply(self, reply: Json) -> int:
        """Take one page."""
        count = 0
        for group in reply["groups"]:
            for row in group["rows"]:
                count += 1
                key = (row["b"], row["e"], row["id"])
                if row["o"] == "P":
                    self.members.add(key)
                    if row["r"] >= self.rows.get(key[1:], (0, {}))[0]:
                        self.rows[key[1:]] = (row["r"], row["d"])
                else:
                    self.members.discard(key)
            for bucket in group["buckets"]:
                self.cursors[bucket] = group["cursor"]
        allowed = set(reply["buckets_now"])
        self.members = {key for key in self.members if key[0] in allowed}
        self.cursors = {bucket: self.cursors.get(bucket) for bucket in allowed}
        held = {key[1:] for key in self.members}
        self.rows = {key: row for key, row in self.rows.items() if key in held}
        return count

    def sync(self, limit: int = 2000) -> list[Json]:
        """One sync from beginning to end; returns the verdicts."""
        self.align(self.hello())
        verdicts = self.push()
        self.pull(limit)
        return verdicts

    def ids(self, e: str) -> set[str]:
        """The rows of an entity that the phone holds."""
        return {row_id for entity, row_id in self.rows if entity == e}

    def names(self, e: str = "account") -> set[str]:
        """Their names."""
        return {doc["name"] for (entity, _), (_, doc) in self.rows.items() if entity == e}


def copied(value: Json) -> Json:
    """A deep copy."""
    result: Json = json.loads(json.dumps(value))
    return result


PICKLIST = """
insert into picklist (id, name, values)
values (gen_random_uuid(), 'visit_outcome', '[{"value": "order", "label": "Order"}]')
on conflict do nothing
"""


def found(world: World) -> None:
    """Rita works the west, Otto the east; Mona leads both."""
    world.sql(PICKLIST)
    for login in ("rita", "otto"):
        world.user(login)
    world.user("mona", Role.MANAGER)
    world.team("team", ("rita", "otto", "mona"))
    world.territory("west", 9.0)
    world.territory("east", 9.5)
    world.grant("rita", "west")
    world.grant("otto", "east")
