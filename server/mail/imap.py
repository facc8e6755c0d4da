"""Reading a mailbox over IMAP, mail by mail, without changing it until the mail is safe with us."""

import contextlib
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from server.kit.errors import Invalid, Unavailable
from server.kit.outside import connected, within
from server.kit.secrets import unseal
from server.mail.receiving_models import Mailbox

TIMEOUT_S = 30
LONGEST_S = 480
"""One visit to a mailbox takes no longer; what is left is read by the next one."""
LARGEST = 60_000_000
"""Of a larger mail only the head is taken: 40 MB of attachment are 55 MB on the wire."""
MOST = 200
"""Mails of one visit."""


class MailboxTrouble(Unavailable):
    """The mailbox cannot be read."""

    code = "mailbox_trouble"


@dataclass(frozen=True)
class Fetched:
    """One mail of the mailbox."""

    uid: int
    content: bytes
    is_cut: bool


class _Imap(imaplib.IMAP4):
    """IMAP on a connection to an address that was checked."""

    def __init__(self, host: str, port: int, *, secure: bool) -> None:
        self.secure = secure
        super().__init__(host, port, TIMEOUT_S)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        return connected(self.host, self.port, timeout or TIMEOUT_S, secure=self.secure)


@dataclass
class Box:
    """An open mailbox."""

    imap: imaplib.IMAP4
    uid_validity: int
    uid_next: int

    def after(self, last_uid: int) -> list[int]:
        """The numbers of what came later, the earliest first."""
        _, found = self.imap.uid("SEARCH", f"UID {last_uid + 1}:*")
        numbers = sorted(int(one) for line in found if line for one in line.split())
        return [one for one in numbers if one > last_uid][:MOST]

    def fetch(self, uid: int) -> Fetched | None:
        """One mail; None when it is gone meanwhile."""
        _, sizes = self.imap.uid("FETCH", str(uid), "(RFC822.SIZE)")
        size = next((int(m[1]) for line in sizes if line and (m := re.search(rb"RFC822\.SIZE (\d+)", _line(line)))), 0)
        part = "BODY.PEEK[]" if size <= LARGEST else "BODY.PEEK[HEADER]"
        _, answer = self.imap.uid("FETCH", str(uid), f"({part})")
        content = next((bytes(one[1]) for one in answer if isinstance(one, tuple)), None)
        return None if content is None else Fetched(uid, content, size > LARGEST)

    def mark(self, uid: int, afterwards: str) -> None:
        """Say that a mail was taken; twice is once."""
        if afterwards == "keep":
            return
        flag = r"(\Seen)" if afterwards == "seen" else r"(\Seen \Deleted)"
        self.imap.uid("STORE", str(uid), "+FLAGS", flag)
        if afterwards == "delete":
            self.imap.expunge()


def _line(line: bytes | tuple[bytes, bytes]) -> bytes:
    return line[0] if isinstance(line, tuple) else line


@contextlib.contextmanager
def opened(mailbox: Mailbox) -> Iterator[Box]:
    """The mailbox, signed in and with its folder chosen.

    Raises
    ------
    MailboxTrouble
        When nobody answers, the password is wrong or the folder does not exist; in words.
    """
    host = mailbox.host
    try:
        imap = _Imap(host, mailbox.port, secure=mailbox.security == "tls")
        with contextlib.ExitStack() as stack:
            stack.callback(_leave, imap)
            stack.enter_context(within(imap.sock, LONGEST_S))
            if mailbox.security == "starttls":
                imap.starttls(ssl.create_default_context())
            _sign_in(imap, mailbox)
            state, answer = imap.select(_quoted(mailbox.folder))
            if state != "OK":
                said = (answer[0] or b"").decode("utf-8", "replace")
                raise MailboxTrouble(f"There is no folder “{mailbox.folder}” ({said}).", help="Check its name.")
            yield Box(imap, _number(imap, "UIDVALIDITY"), _number(imap, "UIDNEXT"))
    except ssl.SSLError as error:
        raise MailboxTrouble(f"{host} does not prove who it is: {error.reason or error}.") from error
    except Invalid as error:
        raise MailboxTrouble(error.message, help=error.help) from error
    except (OSError, EOFError, imaplib.IMAP4.error) as error:
        raise MailboxTrouble(f"{host}:{mailbox.port} does not answer as a mailbox ({error}).") from error


def _sign_in(imap: imaplib.IMAP4, mailbox: Mailbox) -> None:
    try:
        imap.login(mailbox.username, unseal(mailbox.password) if mailbox.password else "")
    except imaplib.IMAP4.error as error:
        raise MailboxTrouble(
            f"{mailbox.host} does not accept the user name and password ({error}).", help="Enter them anew."
        ) from error


def _leave(imap: imaplib.IMAP4) -> None:
    with contextlib.suppress(OSError, imaplib.IMAP4.error):
        imap.logout()


def _quoted(folder: str) -> str:
    return '"' + folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _number(imap: imaplib.IMAP4, name: str) -> int:
    _, found = imap.response(name)
    line = found[0] if found else None
    return int(line) if isinstance(line, bytes) and line.isdigit() else 0
