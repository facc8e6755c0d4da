"""One whole sync: tokens, hello, align, push, pull, then maps; and what to do when it breaks off."""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field

from mobile.field.home import PhoneHome
from mobile.field.ports import Keys, Secrets
from mobile.field.store import Store
from mobile.field.sync import blobs, maps
from mobile.field.sync.api import Api
from mobile.field.sync.hello import align, hello
from mobile.field.sync.problems import (
    DeviceBarred,
    EpochChanged,
    Gap,
    Problem,
    SignInNeeded,
    UpgradeNeeded,
)
from mobile.field.sync.pull import Pulled, StorageLow, pull
from mobile.field.sync.push import Pushed, push
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
    requeued: int = 0
    results: Counter[str] = field(default_factory=Counter)
    parked: int = 0
    pages: int = 0
    rows: int = 0
    photos: int = 0
    photo_error: str | None = None
    maps: int = 0
    map_error: str | None = None
    upgrade: bool = False
    poll_s: int = 900
    jitter_s: int = 60

    def failed(self, code: str, detail: str, after_s: float | None = None) -> "Report":
        self.ok, self.code, self.detail, self.after_s = False, code, detail, after_s
        return self


class Sync:
    """Syncs one signed-in user. Every step may be run again; nothing is ever given up."""

    def __init__(self, home: PhoneHome, store: Store, transport: Transport, keys: Keys, secrets: Secrets) -> None:
        self._home, self._store = home, store
        self._api = Api(transport)
        self._user_id = store.outbox.meta.get("user_id") or ""
        self._tokens = TokenKeeper(self._api, keys, secrets, self._user_id)
        self._durable_n = 0

    def run(self, *, with_maps: bool = True, photos_too: bool = True) -> Report:
        """One sync from beginning to end; problems end up in the report, unsent work in the outbox."""
        report = Report()
        try:
            self._tokens.ensure()
            self._exchange(report)
            report.ok = True
            self._send_photos(report, photos_too)
            if with_maps:
                self._fetch_maps(report)
        except Unreachable as error:
            return report.failed("unreachable", str(error))
        except DeviceBarred as problem:
            return self._barred(report, problem)
        except SignInNeeded as problem:
            self._store.outbox.meta.set("sign_in_needed", problem.code)
            return report.failed(problem.code, problem.detail)
        except Problem as problem:
            return report.failed(problem.code, problem.detail, problem.after_s)
        except StorageLow as error:
            return report.failed("storage_low", str(error))
        except BadMessage as error:
            return report.failed("bad_message", str(error))
        except sqlite3.OperationalError as error:
            return report.failed("storage", f"the phone's storage does not answer: {error}")
        except sqlite3.DatabaseError as error:
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
            sent = blobs.send(self._store, self._api, photos_too=photos_too)
            report.photos = sent.stored + sent.refused
            if self._durable_n:
                report.photos += blobs.let_go(self._store, self._api, self._durable_n)
        except (Unreachable, Problem, OSError, BadMessage) as error:
            report.photo_error = str(error)

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
            report.poll_s, report.jitter_s = reply.poll_s, reply.jitter_s
            report.requeued += align(self._store, reply)
            self._durable_n = 0 if reply.durable_upto is None else reply.durable_upto.n
            try:
                self._take(report, push(self._store, self._api, reply.epoch, reply.limits))
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

    def _barred(self, report: Report, problem: DeviceBarred) -> Report:
        self._store.outbox.meta.set("sign_in_needed", problem.code)
        if problem.code == "wipe":
            self._tokens.destroy()
            self._store.close()
            self._home.wipe(self._user_id)
        return report.failed(problem.code, problem.detail)
