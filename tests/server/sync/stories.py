"""Schedules that are written down: for each deliberate mistake the shortest story that it cannot survive."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from mobile.field.sync.transport import Request, Unreachable
from server.kit.database import transaction
from server.sync.pulling import epochs
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.schedule import Schedule

type Story = Callable[[Schedule], None]
"""What happens; the reckoning follows by itself."""

NOBODYS = UUID(int=1)


def of(steps: Sequence[tuple[str, int]]) -> Story:
    """A schedule of rules."""

    def happen(schedule: Schedule) -> None:
        for name, step in steps:
            schedule.happen(name, step)

    return happen


def at(phone: FieldPhone, path: str, *, before: Callable[[], None] | None = None, lost: bool = False) -> None:
    """At the next request to a path: something happens before it, or its answer is lost."""
    real = phone.network.send

    def send(request: Request) -> Any:
        if not request.path.endswith(path):
            return real(request)
        setattr(phone.network, "send", real)  # noqa: B010 a method of this one network
        if before:
            before()
        answer = real(request)
        if lost:
            raise Unreachable("the answer was lost")
        return answer

    setattr(phone.network, "send", send)  # noqa: B010 a method of this one network


def visit(schedule: Schedule) -> None:
    """Rita visits her first account."""
    schedule.phones["rita"].event(str(schedule.accounts[0]), "done")
    schedule.note()


def fail_over(schedule: Schedule) -> None:
    """The database goes back to the backup, and an operator says that nothing was lost."""
    with transaction() as session:
        before = epochs.current(session)
    schedule.backups.restore(schedule.backups.taken[-1])
    with transaction() as session:
        epochs.keep(session, before)


def a_transaction_stays_open(schedule: Schedule) -> None:
    slow = schedule.database.connect()
    schedule.open_ones.append(slow)
    slow.execute(text("update account set phone = 'slow' where id = :id"), {"id": schedule.accounts[0]})
    schedule.world.sql("update account set phone = 'quick' where id = :id", id=schedule.accounts[2])
    schedule.synced(schedule.phones["rita"])


def an_answer_is_lost(schedule: Schedule) -> None:
    visit(schedule)
    at(schedule.phones["rita"], "/push", lost=True)
    schedule.synced(schedule.phones["rita"])


def five_visits(schedule: Schedule) -> None:
    for _ in range(5):
        visit(schedule)


def a_restore_undoes_an_edit(schedule: Schedule) -> None:
    schedule.backups.take()
    schedule.world.sql("update account set phone = 'undone' where id = :id", id=schedule.accounts[0])
    schedule.synced(schedule.phones["rita"])
    schedule.backups.restore(schedule.backups.taken[-1])


def a_restore_undoes_visits(schedule: Schedule) -> None:
    schedule.backups.take()
    visit(schedule)
    visit(schedule)
    schedule.synced(schedule.phones["rita"])
    schedule.backups.restore(schedule.backups.taken[-1])


def a_restore_undoes_a_photo(schedule: Schedule) -> None:
    schedule.backups.take()
    schedule.phones["rita"].photo(str(schedule.accounts[0]))
    schedule.note()
    schedule.synced(schedule.phones["rita"])
    schedule.backups.restore(schedule.backups.taken[-1])


def a_failover_lost_a_visit(schedule: Schedule) -> None:
    schedule.backups.take()
    visit(schedule)
    schedule.synced(schedule.phones["rita"])
    fail_over(schedule)


def a_failover_between_hello_and_push(schedule: Schedule) -> None:
    schedule.backups.take()
    visit(schedule)
    schedule.synced(schedule.phones["rita"])
    visit(schedule)
    at(schedule.phones["rita"], "/push", before=lambda: fail_over(schedule))
    schedule.synced(schedule.phones["rita"])


def an_account_moves(schedule: Schedule) -> None:
    schedule.world.move(schedule.accounts[0], "east")


def an_area_is_taken_away(schedule: Schedule) -> None:
    schedule.world.revoke("rita", "west")


def two_edit_one_field(schedule: Schedule) -> None:
    schedule.phones["rita"].edit("account", str(schedule.accounts[0]), phone="mine")
    schedule.world.sql("update account set phone = 'theirs' where id = :id", id=schedule.accounts[0])
    schedule.note()


def two_edit_a_person(schedule: Schedule) -> None:
    schedule.phones["rita"].edit("contact", str(schedule.people[0]), title="mine")
    schedule.world.sql("update contact set title = 'theirs' where id = :id", id=schedule.people[0])
    schedule.note()


def the_street_now_and_the_town_later(schedule: Schedule) -> None:
    rita = schedule.phones["rita"]
    row_id = rita.shown("site")[0]
    rita.edit("site", row_id, street="Gasse 3")
    rita.edit("site", row_id, city="Vaduz")
    schedule.note()
    schedule.synced(rita)
    assert not rita.store.outbox.ops(["conflict"]), "I15: the town clashed with the street of its own phone"


def an_app_dies_at_every_place(schedule: Schedule) -> None:
    phone = schedule.phones["rita"]
    for place in range(10, 100, 3):
        schedule.world.account(f"Place {place}", "west")
        phone.dies_after(place)
        schedule.synced(phone)
        phone.restart()


def a_bad_op_among_good_ones(schedule: Schedule) -> None:
    visit(schedule)
    schedule.phones["rita"].event(str(NOBODYS), "done")
    schedule.note()
