"""One whole sync: tokens, hello, align, push, pull, then maps; and what to do when it breaks off."""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field

from mobile.field import conflicts, photos
from mobile.field.home import PhoneHome
from mobile.field.ports import Keys, Secrets
from mobile.field.store import Store
from mobile.field.store.sqlite import healthy
from mobile.field.sync import blobs, leaving, maps, rescue, tokens, wire
from mobile.field.sync.api import Api
from mobile.field.sync.hello import align, hello
from mobile.field.sync.problems import (
    DeviceBarred,
    EpochChanged,
    Gap,
    NotAllowed,
    Problem,
    SignInNeeded,
    UpgradeNeeded,
)
from mobile.field.sync.pull import Pulled, StorageLow, pull
from mobile.field.sync.push import Pushed, push, taken_after_all
from mobile.field.sync.tokens import TokenKeeper
from mobile.field.sync.transport import Transport, Unreachable
from mobile.field.sync.wire import BadMessage

HELLOS = 3


@dataclass
class Report:
    """How a sync went, for screens and for the command line."""

    ok: bool = False
    code: str | None = None
    detail: str | None = None
    after_s: float | None = None
    greeted: bool = False
    """The server has answered this phone's greeting, whatever failed afterwards."""
    requeued: int = 0
    results: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    pages: int = 0
    rows: int = 0
    left: int = 0
    """Buckets that the phone is not given any more; what they held is gone."""
    photos: int = 0
    photo_error: str | None = None
    maps: int = 0
    map_error: str | None = None
    upgrade: bool = False
    rescued: int = 0
    """Damaged files of the outbox that the server has now, and entries of a phone that leaves that nobody can read."""
    rescue_error: str | None = None
    unreadable: int = 0
    """Entries of the rep that this phone cannot read any more."""
    handed_over: int = 0
    """Ops of a retired phone, or of a rep who may not send any more, that wait at the server for a decision."""
    open_questions: int = 0
    """Conflicts that wait for the rep, or for somebody before them."""
    decided: int = 0
    """Conflicts of which this phone has heard now that somebody decided them."""
    damaged: bool = False
    """A file of this phone is damaged, or was thrown away for it: who has it open opens it again."""
    taken: int = 0
    """Refused entries of which this phone has heard now that the office had them taken."""
    poll_s: int = 900
    jitter_s: int = 60

    @property
    def heard(self) -> bool:
        """Whether the server has let this phone in: it is not alone, also where there is no room for what came."""
        return self.ok or self.greeted or self.code == StorageLow.code

    def failed(self, code: str, detail: str, after_s: float | None = None) -> "Report":
        self.ok, self.code, self.detail, self.after_s = False, code, detail, after_s
        return self


class Sync:
    """Syncs one signed-in user. Every step may be run again; nothing is ever given up."""

    def __init__(self, home: PhoneHome, store: Store, transport: Transport, keys: Keys, secrets: Secrets) -> None:
        self._home, self._store = home, store
        self._api = Api(transport)
        self._user_id = store.outbox.meta.get("user_id") or ""
        self._keys, self._secrets = keys, secrets
        self._tokens = TokenKeeper(self._api, keys, secrets, self._user_id)
        self._durable_n: int | None = None

    def run(self, *, with_maps: bool = True, photos_too: bool = True) -> Report:
        """One sync from beginning to end; problems end up in the report, unsent work in the outbox."""
        report = Report()
        try:
            self._tokens.ensure()
            self._exchange(report)
            report.open_questions = conflicts.still_open(self._store.outbox)
            report.ok = True
            self._send_photos(report, photos_too)
            self._rescue(report)
            if with_maps:
                self._fetch_maps(report)
        except Unreachable as error:
            return report.failed("unreachable", str(error))
        except DeviceBarred as problem:
            return self._barred(report, problem)
        except NotAllowed as problem:
            return self._aside(report.failed(problem.code, problem.detail))
        except SignInNeeded as problem:
            self._store.outbox.meta.set("sign_in_needed", problem.code)
            return report.failed(problem.code, problem.detail)
        except Problem as problem:
            return report.failed(problem.code, problem.detail, problem.after_s)
        except StorageLow as error:
            return report.failed(error.code, str(error))
        except BadMessage as error:
            return report.failed("bad_message", str(error))
        except sqlite3.OperationalError as error:
            if "user-defined function" in str(error) and self._store.mend_cache():
                return report.failed("storage", "something that was fetched was damaged here; it is fetched again")
            return report.failed("storage", f"the phone's storage does not answer: {error}")
        except sqlite3.DatabaseError as error:
            report.damaged = True
            if not healthy(self._store.outbox.path):  # others have it open: it is mended when nobody has
                return report.failed("storage", f"what you saved is on a damaged file; start the app again: {error}")
            self._store.rebuild_cache()
            return report.failed("storage", str(error))
        self._store.outbox.meta.set("sign_in_needed", None)
        return report

    def signed_in(self) -> Api:
        """The server, after whatever it takes to be let in."""
        self._tokens.ensure()
        return self._api

    def _send_photos(self, report: Report, photos_too: bool) -> None:
        """Contents come after everything else; without them everything else is done all the same."""
        try:
            photos.sweep(self._store)
            sent = blobs.send(self._store, self._api, photos_too=photos_too)
            report.photos, report.photo_error = sent.stored + sent.refused, sent.trouble
            if self._durable_n is not None:
                report.photos += blobs.let_go(self._store, self._api, self._durable_n)
        except NotAllowed:
            raise
        except (Unreachable, Problem, OSError, BadMessage) as error:
            report.photo_error = str(error)

    def _rescue(self, report: Report) -> None:
        """Damaged files of the outbox go along when everything else has gone."""
        try:
            report.unreadable = len(self._store.outbox.aside)
            report.rescued = rescue.send(self._store, self._api)
        except (Unreachable, Problem, OSError) as error:
            report.rescue_error = str(error)

    def _fetch_maps(self, report: Report) -> None:
        """Maps come last; without them everything else is done all the same."""
        try:
            report.maps = maps.fetch(self._api, self._store, self._home.packs)
        except (Unreachable, Problem, OSError) as error:
            report.map_error = str(error)

    def _exchange(self, report: Report) -> None:
        """Hello to pull, again from hello when the server turns out to be another or to miss ops."""
        gaps = 0
        for _attempt in range(HELLOS):
            reply = hello(self._store, self._api)
            report.greeted = True
            report.poll_s, report.jitter_s = reply.poll_s, reply.jitter_s
            report.requeued += align(self._store, reply)
            report.decided += conflicts.heard(
                self._store.outbox, None if reply.decided is None else [wire.emit(one) for one in reply.decided]
            )
            report.taken += taken_after_all(self._store, reply.taken or ())
            self._durable_n = None if reply.durable_upto is None else reply.durable_upto.n
            refused: NotAllowed | None = None
            try:
                try:
                    self._take(report, push(self._store, self._api, reply.epoch, reply.limits))
                except NotAllowed as problem:
                    refused = problem  # what the rep may not see any more leaves all the same
                self._take(report, pull(self._store, self._api, reply.epoch, reply.limits))
            except UpgradeNeeded:
                report.upgrade = True
            except EpochChanged:
                continue
            except Gap:
                gaps += 1
                if gaps > 1:
                    raise
                continue
            if refused is not None:
                raise refused
            return
        raise EpochChanged(409, "epoch_changed", "the server keeps changing its epoch")

    @staticmethod
    def _take(report: Report, part: Pushed | Pulled) -> None:
        if isinstance(part, Pushed):
            report.results.update(part.results)
            report.parked += part.parked
        else:
            report.pages += part.pages
            report.rows += part.rows
            report.left += part.left

    def _barred(self, report: Report, problem: DeviceBarred) -> Report:
        report.greeted = False
        self._store.outbox.meta.set("sign_in_needed", problem.code)
        report.failed(problem.code, problem.detail)
        if problem.code == "retired":
            return self._aside(report)
        try:
            if problem.code == "wipe":
                self._store.close()
                leaving.destroy(self._api, self._home, self._keys, self._secrets, self._user_id)
        except (Unreachable, Problem, BadMessage) as error:
            return report.failed(problem.code, f"{problem.detail} {error}".strip())
        return report

    def _aside(self, report: Report) -> Report:
        """Give what is not sent yet to whoever looks at it at the server, where it may not be sent as usual."""
        known = tokens.load(self._secrets, self._user_id)
        try:
            if known is not None:
                report.handed_over = leaving.hand_over(self._store, self._api, self._keys, known)
                report.photos += leaving.hand_over_photos(self._store, self._api, self._keys, known)
                report.rescued += leaving.hand_over_aside(self._store, self._api, self._keys, known)
        except (Unreachable, Problem, BadMessage, OSError) as error:
            report.detail = f"{report.detail or ''} {error}".strip()
        return report
