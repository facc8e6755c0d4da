"""What must hold when everything has settled: nothing lost, doubled, leaked, overwritten or left behind."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from mobile.field.store.outbox import UNSENT, Op
from mobile.field.store.overlay import value_of
from server.accounts.models import Account, Site
from server.accounts.queries import within_reach
from server.auth.access import Scope, scope_of, system_scope
from server.auth.models import Device, User
from server.auth.roles import Level
from server.files import store as files
from server.kit.database import transaction
from server.kit.settings import settings
from server.phones import rules
from server.sync import doctor
from server.sync.pulling import buckets, entities
from server.tracks.models import Track
from server.tracks.service import lies_in, paused
from tests.server.sync.company import PLACE, spelled
from tests.server.sync.field_phone import FieldPhone

type Ledger = Mapping[str, Op]
"""Every op that was ever committed on a phone, by its id."""


def reach(phone: FieldPhone) -> set[str]:
    """The accounts that the pages would show to the phone's user, now."""
    with transaction() as session:
        return reach_of(session, scope_of_phone(session, phone))


def scope_of_phone(session: Session, phone: FieldPhone) -> Scope:
    """The rights of a phone's user."""
    return scope_of(session, session.get_one(User, UUID(phone.user_id)), source="sync")


def reach_of(session: Session, scope: Scope) -> set[str]:
    """The accounts of somebody, by the rule of the pages; what went into another account is gone."""
    standing = Account.deleted_at.is_(None) & Account.merged_into.is_(None)
    return {str(row_id) for row_id in session.scalars(select(Account.id).where(within_reach(scope), standing))}


def needed(phone: FieldPhone) -> set[str]:
    """Rows that are kept because unsent work refers to them."""
    facts = {op.body["d"].get("account_id") for op in phone.store.showing() if op.kind == "create"}
    return {op.row_id for op in phone.store.showing() if op.kind != "create"} | facts


def leaked(phone: FieldPhone) -> list[str]:
    """I4: accounts on a phone that its user may not see, after a whole sync."""
    allowed = reach(phone)
    return [f"I4: {row_id}" for row_id in phone.held("account") if row_id not in allowed | needed(phone)]


def hidden(phone: FieldPhone) -> list[str]:
    """I6: unsent edits that the rep does not see on a row that is there."""
    last: dict[tuple[str, str, str], Any] = {}
    gone = {op.row_id for op in phone.store.showing() if op.kind == "delete"}  # sent or not: no pull has told of it
    for op in phone.store.outbox.ops(UNSENT):
        if op.kind == "patch":
            last |= {(op.e, op.row_id, name): new for name, (_, new) in op.body["f"].items()}
    found = []
    for (e, row_id, name), value in last.items():
        _, base = phone.store.cache.base(e, row_id)
        shown = value_of(phone.store.cache.doc(e, row_id) or {}, name)
        if base is not None and row_id not in gone and shown != value:
            found.append(f"I6: {name} of {row_id} is {shown} and not {value}, which was saved")
    return found


def lost_ops(ledger: Ledger, phones: Mapping[str, FieldPhone]) -> Iterator[str]:
    """I1, I2, I5: each op has one answer and one effect; no value has vanished."""
    with transaction() as session:
        for op in ledger.values():
            yield from (f"op {op.op_id} ({op.kind} {op.e}): {wrong}" for wrong in wrong_with(session, op))
        statement = "select op_id::text, status from sync_receipt"
        answers: dict[str, str] = {row[0]: row[1] for row in session.execute(text(statement))}
        twice = "select count(*) from visit where 'unplanned' = any(flags)"
        unplanned = session.execute(text(twice)).scalar_one()
        events = session.execute(text("select count(*) from visit_event")).scalar_one()
    for login, phone in phones.items():
        for op in phone.store.outbox.ops():
            if op.state != answers.get(op.op_id):
                yield f"I1: op {op.n} of {login} is {op.state} there, {answers.get(op.op_id)} on the server"
    applied = [op for op in ledger.values() if op.e == "visit_event" and answers.get(op.op_id) == "applied"]
    if events != len(applied):
        yield f"I2: {len(applied)} visit events were taken, {events} are there"
    if unplanned > len({op.body["d"]["visit_id"] for op in applied}):
        yield "I2: a visit exists twice"


OVERWRITTEN = """
select 1 from field_history mine
where mine.op_id = :op and mine.field = :name and coalesce(mine.old, 'null') <> cast(:old as jsonb)
  and not exists (select from field_conflict c where c.op_id = mine.op_id and c.field = mine.field)
  and exists (select from field_history other
              where other.entity = mine.entity and other.row_id = mine.row_id and other.field = mine.field
                and other.rev > :base and other.rev < mine.rev)
  and not exists (select from field_history last
                  where last.entity = mine.entity and last.row_id = mine.row_id and last.field = mine.field
                    and last.rev = (select max(rev) from field_history b where b.entity = mine.entity
                                    and b.row_id = mine.row_id and b.field = mine.field and b.rev < mine.rev)
                    and last.source = 'sync' and last.actor = mine.actor)
"""
"""A value that came after the one the phone saw, and that the phone's change replaced as if nobody had. What its own
rep had written by the phone counts as seen."""

WITH_ITSELF = """
select 1 from field_conflict c
join sync_receipt mine on mine.op_id = c.op_id
join lateral (select h.op_id from field_history h
              where h.entity = c.entity and h.row_id = c.row_id and h.field = c.field and h.at < c.created_at
              order by h.rev desc limit 1) last on true
join sync_receipt earlier on earlier.op_id = last.op_id
where c.op_id = :op and c.field = :name and c.kind = 'concurrent' and earlier.device_id = mine.device_id
  and earlier.n < mine.n and earlier.n > 0
"""
"""A clash of an op with a value that an earlier op of its phone had written last."""

KEPT = """
select 1 from field_history where op_id = :op and field = :name
union all select 1 from field_conflict where op_id = :op and field = :name
union all select 1 from field_conflict where id = cast(:decides as uuid) and state = 'kept_server'
union all select 1 from field_history where row_id = account_surviving(:row) and field = :name
  and new = cast(:new as jsonb)
union all select 1 from field_history where row_id = :row and field = :name and new = cast(:new as jsonb)
union all select 1 from field_history where row_id = any(array[:row, account_surviving(:row), site_standing(:row)])
  and field = :name and coalesce(old, 'null') = cast(:new as jsonb)
union all select 1 from (
    select id, to_jsonb(a) as doc from account a union all select id, to_jsonb(s) from site s
    union all select id, to_jsonb(c) from contact c
) r
where r.id = any(array[:row, account_surviving(:row), site_standing(:row)])
  and coalesce(r.doc -> :name, r.doc -> 'custom' -> replace(:name, 'custom.', ''), 'null') = cast(:new as jsonb)
"""
"""Where the value of an op went; one that the row held from its beginning (as nothing) has no history. Who keeps the
office's value may never have been told it: it stands for nothing of the rep's, which the conflict holds."""


MERGED = ("account", "site", "contact")
"""What two may change at once: where both wrote a field, somebody is asked."""


def wrong_with(session: Session, op: Op) -> Iterator[str]:
    """What is wrong with an op after everything has settled."""
    statement = "select status, body is not null, result -> 'error' ->> 'code' from sync_receipt where op_id = :id"
    receipts = session.execute(text(statement), {"id": op.op_id}).all()
    if len(receipts) != 1:
        yield f"I1: has {len(receipts)} answers"
        return
    (status, has_body, code) = receipts[0]
    if status in ("rejected", "deferred", "conflict") and not has_body:
        yield f"I1: {status} without its content"
    if op.kind == "patch" and op.e in MERGED and not op.body.get("decides") and code == "changed_meanwhile":
        yield "I5: a clash was refused, and is no question"
    if op.e == "visit_event" and status == "applied":
        found = session.execute(text("select 1 from visit_event where id = :id"), {"id": op.row_id}).all()
        if not found:
            yield "I1: the visit event is not there"
    if op.kind == "patch" and status != "rejected":
        for name, (old, new) in op.body["f"].items():
            old, new = spelled(name, old), spelled(name, new)
            values = {"op": op.op_id, "name": name, "old": json.dumps(old), "base": op.body["base_rev"]}
            if name not in PLACE and session.execute(text(WITH_ITSELF), values).all():
                yield f"I15: {name} clashed with what its own phone had written"
            if session.execute(text(OVERWRITTEN), values).all():
                yield f"I5: {name} of somebody else was overwritten without a conflict"
            kept = {
                "op": op.op_id, "name": name, "row": UUID(op.row_id), "new": json.dumps(new),
                "decides": op.body.get("decides"),
            }  # fmt: skip
            if not session.execute(text(KEPT), kept).all():
                yield f"I5: the value of {name} has vanished"


def without_content(ledger: Ledger, phones: Mapping[str, FieldPhone]) -> Iterator[str]:
    """I13: photos that were taken and whose content is neither on the server nor on the phone that took them."""
    with transaction() as session:
        statement = "select id::text, sha256, file_id is not null from attachment"
        rows = {row[0]: (row[1], row[2]) for row in session.execute(text(statement))}
    for op in ledger.values():
        if op.e != "attachment" or op.kind != "create" or op.row_id not in rows:
            continue
        sha256, is_here = rows[op.row_id]
        if is_here and files.has(sha256):
            continue
        if not any(phone.store.outbox.blobs.path_of(sha256).is_file() for phone in phones.values()):
            yield f"I13: the content of photo {op.row_id} is nowhere"
        else:
            yield f"I13: the content of photo {op.row_id} is still on its phone after everything has settled"


def wrongly_recorded(ledger: Ledger) -> Iterator[str]:
    """I14: of the ways nothing is kept that was not told, that lies in a pause, or that the phones say nothing of;
    and where nobody paused and the company never stopped recording, all of it."""
    told = {op.row_id: op for op in ledger.values() if op.e == "track"}
    with transaction() as session:
        rows = session.scalars(select(Track)).all()
        answers: dict[str, Any] = {
            row[0]: row[1] for row in session.execute(text("select op_id::text, result from sync_receipt"))
        }
        spans = {
            rep: paused(session, rep, datetime.min.replace(tzinfo=UTC) + timedelta(days=2), ZoneInfo(settings().zone))
            for rep in {row.rep_id for row in rows}
        }
    for row in rows:
        op = told.get(str(row.id))
        sent = [moment(one["at"]) for one in op.body["d"]["fixes"]] if op else []
        kept = [moment(one["at"]) for one in row.fixes]
        if op is None or not set(kept) <= set(sent) or len(set(kept)) != len(kept):
            yield f"I14: track {row.id} was told otherwise"
        if any(lies_in(at, spans[row.rep_id]) for at in kept):
            yield f"I14: track {row.id} goes on in a pause"
    here = {str(row.id): len(row.fixes) for row in rows}
    for op in told.values():
        answer = answers.get(op.op_id, {})
        dropped, sent = answer.get("dropped") or 0, len(op.body["d"]["fixes"])
        if answer.get("status") != "applied":
            yield f"I14: track {op.row_id} is {answer.get('status')}"
        never_paused = not any(one.body["d"]["kind"] == "pause" for one in told.values())
        if never_paused and sent and here.get(op.row_id, 0) + dropped != sent:
            yield f"I14: of {sent} fixes of track {op.row_id} {here.get(op.row_id, 0)} are here and {dropped} dropped"


def moment(text: str) -> datetime:
    """When a fix was taken, to the millisecond."""
    at = datetime.fromisoformat(text)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def diverged(phones: Mapping[str, FieldPhone]) -> Iterator[str]:
    """I3, I4: a phone holds exactly the rows that its user may see, as they are."""
    for login, phone in phones.items():
        with transaction() as session:
            scope = scope_of_phone(session, phone)
            expected = expected_rows(session, scope)
            mine = session.scalars(select(Track.id).where(Track.rep_id == scope.user_id))
            ways = entities.rows(session, scope, entities.BY_NAME["track"], map(str, mine))
            seen = session.scalars(
                text(PROSPECTS),
                {"me": scope.user_id, "leads": scope.level("accounts:read") in (Level.TEAM, Level.REGION, Level.ALL)},
            ).all()
            firms = entities.rows(session, scope, entities.BY_NAME["prospect"], seen)
            expected["prospect"] = {row_id: (row.rev, row.json()) for row_id, row in firms.items()}
            expected["track"] = {row_id: (row.rev, row.json()) for row_id, row in ways.items()}
            without = left_out(session, scope, phone.device_id)
        expected = {e: {i: row for i, row in rows.items() if (e, i) not in without} for e, rows in expected.items()}
        for entity, rows in expected.items():
            held = phone.held(entity)
            for row_id in held.keys() ^ rows.keys():
                where = "is on" if row_id in held else "is missing from"
                yield f"I3: {entity} {row_id} {where} the phone of {login}"
            yield from (
                f"I3: {entity} {row_id} differs on the phone of {login}: {held[row_id]} {rows[row_id]}"
                for row_id in held.keys() & rows.keys()
                if held[row_id] != rows[row_id]
            )


LEFT_OUT = """
select e, id from sync_item where op = 'P' and bucket_id = any(:left_out)
except select e, id from sync_item where op = 'P' and bucket_id = any(:given)
"""


def left_out(session: Session, scope: Scope, device_id: UUID) -> set[tuple[str, str]]:
    """Rows for which a phone has no room: they lie in buckets that it is not given, and in no other."""
    holding = session.get_one(Device, device_id).holding
    several = buckets.subscriptions(session, replace(scope, device_id=device_id))
    fitted = buckets.fitting(several, rules.rules(session).max_rows, holding)
    ids = {"left_out": [one.id for one in fitted.left_out], "given": [one.id for one in fitted.given]}
    return {(entities.BY_CODE[e].name, str(row_id)) for e, row_id in session.execute(text(LEFT_OUT), ids)}


PROSPECTS = """
select p.id::text from offered_prospect p where p.deleted_at is null
  and (p.territory_id in (select m.territory_id from territory_member m where m.user_id = :me and m.valid_to is null)
       or (p.territory_id is null and :leads))
"""

VISITS = """
select v.id from visit v where v.deleted_at is null
  and (account_surviving(v.account_id) = any(:accounts) or v.rep_id = any(:people))
"""


PHOTOS = """
select a.id from attachment a where a.deleted_at is null and account_surviving(a.account_id) = any(:accounts)
"""


def expected_rows(session: Session, scope: Scope) -> dict[str, dict[str, Any]]:
    """What somebody's phone holds, told by the rules of the pages and not by the tables of sync."""
    accounts = [UUID(row_id) for row_id in reach_of(session, scope)]
    people = list(session.scalars(buckets.people_of(scope.level("accounts:read")), buckets.reader(scope)))
    sites = session.scalars(select(Site.id).where(Site.account_id.in_(accounts), Site.deleted_at.is_(None))).all()
    visits: Any = session.scalars(text(VISITS), {"accounts": accounts, "people": people}).all()
    taken: Any = session.scalars(text(PHOTOS), {"accounts": accounts}).all()
    found = {}
    for name, ids in (("account", accounts), ("site", sites), ("visit", visits), ("attachment", taken)):
        rows = entities.rows(session, system_scope(), entities.BY_NAME[name], ids)
        found[name] = {str(row_id): (row.rev, row.json()) for row_id, row in rows.items()}
    return found


def ill() -> Iterator[str]:
    """The doctor finds nothing."""
    with transaction() as session:
        for finding in doctor.examine(session):
            if finding.count:
                yield f"doctor: {finding.count} {finding.question}"
