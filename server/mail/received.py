"""A mail that came in, as the rooms that answer to mail see it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Part:
    """A file that came with a mail."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Received:
    """One mail, read and decoded."""

    message_id: str
    """Without angle brackets; made from the content's hash when the sender gave none."""
    references: tuple[str, ...]
    """Message ids that it answers, the nearest last."""
    sender: str
    """Lower-case address."""
    sender_name: str
    to: tuple[str, ...]
    """Lower-case addresses, those of copies too."""
    subject: str
    text: str
    """Plain text; of a mail in HTML only, its text."""
    sent_at: datetime
    is_automatic: bool
    """Sent by a machine (Auto-Submitted, a list, a bounce): nothing may be sent in answer, or two machines write each
    other for ever."""
    parts: tuple[Part, ...] = ()
