"""A real SMTP server on this machine, which answers as it is told."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from sqlalchemy import Engine

from server.kit.database import transaction
from server.mail import service


@dataclass
class Peer:
    """What the server has got, and how it answers."""

    port: int = 0
    got: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    answer: str = "250 taken"
    """To a mail's content."""
    refused: dict[str, str] = field(default_factory=dict)
    """Answers to recipients that it does not take."""
    breaks: bool = False
    """Takes the content and closes the connection without a word."""
    goodbye: str = "221 Bye"
    """To the end of the conversation."""
    password: str = ""
    """Wanted of whoever signs in."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.answer.startswith("2"):
            content = envelope.content if isinstance(envelope.content, bytes) else b""
            read = message_from_bytes(content, policy=default)
            assert isinstance(read, EmailMessage)
            self.got.append(read)
            self.recipients.append(list(envelope.rcpt_tos))
        if self.breaks:
            assert server.transport is not None
            server.transport.abort()
        return self.answer

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        return self.goodbye

    def allows(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        right = isinstance(data, LoginPassword) and data.password.decode() == self.password
        return AuthResult(success=right, handled=right)


class OnAnyPort(Controller):
    """Takes a free port and knows which."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()


@pytest.fixture
def peer() -> Iterator[Peer]:
    """The server; `peer.got` are the mails that it took."""
    peer = Peer()
    controller = OnAnyPort(
        peer, hostname="127.0.0.1", port=0, authenticator=peer.allows, auth_require_tls=False, ready_timeout=20
    )
    controller.start()
    peer.port = controller.port
    yield peer
    controller.stop()


@pytest.fixture
def outbox(empty_database: Engine, peer: Peer) -> Peer:
    """Mail goes through that server."""
    with transaction() as session:
        service.configure(session, service.Setup("127.0.0.1", peer.port, "none", "plans@example.com", "Plans"))
    return peer
