"""Who may look: a PIN after five minutes, a password after days without the server. Neither touches unsent work.

The PIN closes the screen, not the files: syncing goes on behind it. Days without the server close the cache for good:
its key is destroyed, and after signing in everything is fetched again.
"""

import hashlib
import hmac
import json
import math
import secrets as chance
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from mobile.field.ports import Secrets
from mobile.field.store import clock
from mobile.field.store.outbox import Outbox

IDLE_S = 300
DAYS_ALONE = 14
"""So long a phone shows its data without having spoken with the server, unless the company says otherwise."""
DIGITS = range(4, 9)
FREE_TRIES = 3
FIRST_WAIT_S, MOST_WAIT_S = 5, 900
BARRED = ("device_locked", "retired")
"""What the office can do to a phone that leaves its unsent work alone."""
CONTACT, LATEST, LOCKED, DAYS = "contact_at", "latest_at", "locked", "lock_days"
UP = "latest_up"
"""What the clock said that nobody sets, at the latest time that this phone has seen."""
OPEN, DOUBTED, ALONE = "open", "doubted", "alone"
"""What days without the server do to the data: nothing; it is covered until the server was heard; it is closed."""


@dataclass(frozen=True)
class Pin:
    """What is kept of a PIN, and how often it was guessed wrong."""

    salt: str
    digest: str
    wrong: int = 0
    not_before: str = ""


@dataclass(frozen=True)
class Tried:
    """How a try went."""

    ok: bool
    wait_s: int = 0
    """So long no other try counts."""


class BadPin(ValueError):
    """Four to eight digits make a PIN."""


def _name(user_id: str) -> str:
    return f"pin-{user_id}"


def _digest(pin: str, salt: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


def _load(secrets: Secrets, user_id: str) -> Pin | None:
    text = secrets.get(_name(user_id))
    return None if text is None else Pin(**json.loads(text))


def _save(secrets: Secrets, user_id: str, pin: Pin) -> None:
    secrets.put(_name(user_id), json.dumps(asdict(pin)))


def has_pin(secrets: Secrets, user_id: str) -> bool:
    return secrets.get(_name(user_id)) is not None


def set_pin(secrets: Secrets, user_id: str, digits: str) -> None:
    """Keep a new PIN; refuses what is no PIN."""
    if not digits.isdecimal() or len(digits) not in DIGITS:
        raise BadPin
    salt = chance.token_hex(16)
    _save(secrets, user_id, Pin(salt, _digest(digits, salt)))


def remove_pin(secrets: Secrets, user_id: str) -> None:
    secrets.delete(_name(user_id))


def try_pin(secrets: Secrets, user_id: str, digits: str, now: datetime) -> Tried:
    """Compare; after three wrong tries each further one has to wait twice as long, up to a quarter of an hour."""
    pin = _load(secrets, user_id)
    if pin is None:
        return Tried(True)
    waits = waiting_s(secrets, user_id, now)
    if waits:
        return Tried(False, waits)
    if hmac.compare_digest(_digest(digits, pin.salt), pin.digest):
        _save(secrets, user_id, Pin(pin.salt, pin.digest))
        return Tried(True)
    wrong = pin.wrong + 1
    wait_s = min(MOST_WAIT_S, FIRST_WAIT_S * 2 ** (wrong - FREE_TRIES)) if wrong >= FREE_TRIES else 0
    until = (now + timedelta(seconds=wait_s)).isoformat() if wait_s else ""
    _save(secrets, user_id, Pin(pin.salt, pin.digest, wrong, until))
    return Tried(False, wait_s)


def waiting_s(secrets: Secrets, user_id: str, now: datetime) -> int:
    """Seconds until the next try counts; a clock that was set back does not shorten and hardly lengthens it."""
    pin = _load(secrets, user_id)
    if pin is None or not pin.not_before:
        return 0
    left = (datetime.fromisoformat(pin.not_before) - now).total_seconds()
    return max(0, min(MOST_WAIT_S, math.ceil(left)))


def barred(outbox: Outbox) -> str | None:
    """What the office has done to this phone, as it heard last; nothing is shown while it is so."""
    code = outbox.meta.get("sign_in_needed")
    return code if code in BARRED else None


# -- days without the server


def close_after(outbox: Outbox, days: int | None) -> None:
    """What the company says; a server that says nothing, or no number of days, leaves it as it is."""
    if days is not None and days >= 1:
        outbox.meta.set(DAYS, str(days))


def days_alone(outbox: Outbox) -> int:
    """After how many days without the server the cache is closed."""
    return outbox.meta.read(DAYS, int) or DAYS_ALONE


def in_contact(outbox: Outbox, now: datetime) -> None:
    """The server has answered just now."""
    outbox.meta.set(CONTACT, now.isoformat())
    _see(outbox, now)


def _see(outbox: Outbox, now: datetime) -> None:
    outbox.meta.set(LATEST, now.isoformat())
    outbox.meta.set(UP, json.dumps([clock.boot_id(), clock.up_ms()]))


def opened(outbox: Outbox, now: datetime) -> None:
    """Signed in with the password: the lock of the days without the server is off, and the phone is another one."""
    in_contact(outbox, now)
    outbox.meta.set("sign_in_needed", None)
    outbox.meta.set(LOCKED, None)


def _started(text: str) -> tuple[str, int]:
    boot, up_ms = json.loads(text)
    return str(boot), int(up_ms)


def look(outbox: Outbox, now: datetime) -> str:
    """Whether the data is open, covered or closed (OPEN, DOUBTED, ALONE). Once it is closed until somebody signs in,
    only that opens it.

    The latest time that this phone has seen counts, so that a clock that is set back gains nothing. One that is set
    forward closes nothing for good: as long as the machine runs, the clock that nobody sets says how much time passed.
    """
    if outbox.meta.get(LOCKED):
        return ALONE
    contact = outbox.meta.read(CONTACT, datetime.fromisoformat)
    if contact is None:
        in_contact(outbox, now)
        return OPEN
    latest = outbox.meta.read(LATEST, datetime.fromisoformat) or contact
    boot, up_ms = outbox.meta.read(UP, _started) or ("", 0)
    said = max(now, latest)
    borne_out = said
    if boot == clock.boot_id():
        borne_out = latest + timedelta(milliseconds=clock.up_ms() - up_ms)
    if boot != clock.boot_id() or borne_out - latest > timedelta(hours=1):
        _see(outbox, borne_out)
    most = timedelta(days=days_alone(outbox))
    if borne_out - contact > most:
        outbox.meta.set(LOCKED, ALONE)
        return ALONE
    return DOUBTED if said - contact > most else OPEN
