"""A small IMAP server on this machine: one folder, real sockets, the commands that a reader needs."""

import contextlib
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Folder:
    """What lies in the mailbox, and how the server answers."""

    port: int = 0
    password: str = "right"
    uid_validity: int = 7
    uid_next: int = 1
    mails: dict[int, bytes] = field(default_factory=dict)
    flags: dict[int, set[str]] = field(default_factory=dict)
    fetched: list[int] = field(default_factory=list)
    breaks_after: int | None = None
    """Hangs up after so many mails were fetched."""

    def deliver(self, content: bytes) -> int:
        """A mail arrives."""
        uid = self.uid_next
        self.mails[uid], self.flags[uid], self.uid_next = content, set(), uid + 1
        return uid

    def renumber(self, uid_validity: int) -> None:
        """The server was restored: everything has another number."""
        old = list(self.mails.values())
        self.mails, self.flags, self.uid_next, self.uid_validity = {}, {}, 1, uid_validity
        for content in old:
            self.deliver(content)


class Talk(socketserver.StreamRequestHandler):
    """One connection."""

    folder: Folder

    def handle(self) -> None:
        self.say("* OK ready")
        for raw in self.rfile:
            tag, _, rest = raw.decode().strip().partition(" ")
            name, _, given = rest.partition(" ")
            if name.upper() == "UID":
                name, _, given = given.partition(" ")
            answer = getattr(self, name.lower(), self.unknown)(given)
            if answer is None:
                return
            self.say(f"{tag} {answer}")
            if name.upper() == "LOGOUT":
                return

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")

    def unknown(self, given: str) -> str:
        return f"BAD what is {given}?"

    def capability(self, given: str) -> str:
        self.say("* CAPABILITY IMAP4rev1")
        return "OK done"

    def login(self, given: str) -> str:
        return "OK in" if given.endswith(f'"{self.folder.password}"') else "NO wrong password"

    def select(self, given: str) -> str:
        if given != '"INBOX"':
            return "NO no such folder"
        self.say(f"* {len(self.folder.mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.folder.uid_validity}] ok")
        self.say(f"* OK [UIDNEXT {self.folder.uid_next}] ok")
        return "OK [READ-WRITE] selected"

    def search(self, given: str) -> str:
        first = int(given.split()[1].partition(":")[0])
        uids = sorted(self.folder.mails)
        found = [uid for uid in uids if uid >= first] or uids[-1:]  # `n:*` always holds the last one
        self.say("* SEARCH " + " ".join(map(str, found)))
        return "OK done"

    def fetch(self, given: str) -> str | None:
        uid = int(given.split()[0])
        content = self.folder.mails.get(uid)
        if content is None:
            return "OK nothing"
        if "SIZE" in given:
            self.say(f"* {uid} FETCH (UID {uid} RFC822.SIZE {len(content)})")
            return "OK done"
        if self.folder.breaks_after is not None and len(self.folder.fetched) >= self.folder.breaks_after:
            self.connection.shutdown(socket.SHUT_RDWR)
            return None
        if "HEADER" in given:
            content = content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
        self.folder.fetched.append(uid)
        self.wfile.write(f"* {uid} FETCH (UID {uid} BODY[] {{{len(content)}}}\r\n".encode() + content + b")\r\n")
        return "OK done"

    def store(self, given: str) -> str:
        uid, flags = int(given.split()[0]), re.findall(r"\\(\w+)", given)
        if uid in self.folder.flags:
            self.folder.flags[uid] |= set(flags)
        return "OK done"

    def expunge(self, given: str) -> str:
        for uid in [uid for uid, flags in self.folder.flags.items() if "Deleted" in flags]:
            del self.folder.mails[uid], self.folder.flags[uid]
        return "OK done"

    def logout(self, given: str) -> str:
        self.say("* BYE")
        return "OK bye"


@contextlib.contextmanager
def serving() -> Iterator[Folder]:
    """The server; gives its folder."""
    folder = Folder()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), type("Here", (Talk,), {"folder": folder})) as server:
        folder.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield folder
        server.shutdown()
        thread.join()
