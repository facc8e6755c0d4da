"""How soon a phone hears that somebody else decided a question that it shows."""

from mobile.field import conflicts
from mobile.field.capture import edit
from mobile.field.sync.run import Report
from mobile.field.sync.worker import ASKED_S, Schedule, SyncWorker
from tests.mobile.conftest import uid
from tests.mobile.field.test_worker import Highest


def clash(phone):
    """An edit of a field that somebody else has changed since."""
    edit(phone.store, "account", uid(1001), {"phone": "mine"})
    phone.server.put("account", uid(1001), phone.server.world.rows["account", uid(1001)]["d"] | {"phone": "theirs"})


def test_an_open_question_is_asked_about_soon_while_the_phone_is_in_use():
    schedule, asks = Schedule(Highest()), Report(ok=True, poll_s=900, jitter_s=60, open_questions=1)
    assert schedule.after(asks, in_use=True) == ASKED_S
    assert schedule.after(asks) == 960, "nobody looks at it"
    assert schedule.after(Report(ok=True, poll_s=900, jitter_s=60), in_use=True) == 960, "nothing is asked"
    assert schedule.after(Report(open_questions=1), in_use=True) == 2, "a server that does not answer is left alone"


def test_what_the_worker_waits_hangs_on_who_uses_the_phone_when_a_sync_ends():
    worker = SyncWorker(Report, lambda _report: None, lambda: in_use)
    asks = Report(ok=True, open_questions=1)
    in_use = True
    assert worker.wait_after(asks) == ASKED_S
    in_use = False
    assert worker.wait_after(asks) >= 900


def test_a_question_counts_until_the_rep_answers_or_hears_who_did(synced):
    clash(synced)
    assert synced.sync().open_questions == 1
    (question,) = conflicts.questions(synced.store)
    conflicts.answer(synced.store, question, mine=True)
    assert conflicts.still_open(synced.store.outbox) == 0
    synced.store.take_back([synced.store.outbox.ops()[-1].op_id])
    assert conflicts.still_open(synced.store.outbox) == 1
    said = {"id": "c1", "state": "kept_server", "value": "theirs", "by": "Mona", "at": None}
    conflicts.heard(synced.store.outbox, [said])
    assert conflicts.still_open(synced.store.outbox) == 0
