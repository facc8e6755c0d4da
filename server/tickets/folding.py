"""What a mail says anew, and what it only repeats of earlier mails. Pure."""

import re

HISTORY = (
    re.compile(r"^\s*(on|am|le|il)\b.{4,200}\b(wrote|schrieb|a écrit|ha scritto)\b.{0,120}:\s*$", re.IGNORECASE),
    re.compile(r"^\s*-{2,}\s*(original message|ursprüngliche nachricht|forwarded message)\s*-{2,}", re.IGNORECASE),
    re.compile(r"^\s*_{20,}\s*$"),
)
"""Lines below which a mail program repeats what it answers."""
SENDER_LINE = re.compile(r"^\s*(from|von)\s*:\s.+", re.IGNORECASE)
SENT_LINE = re.compile(r"^\s*(sent|gesendet|date|datum)\s*:\s.+", re.IGNORECASE)


def folded(text: str) -> tuple[str, str | None]:
    """The new part of a mail and the quoted rest; everything is kept, only in two pieces.

    A mail that quotes nothing, or nothing but quotes, stays in one piece.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    at = next((k for k in range(len(lines)) if _begins_history(lines, k)), len(lines))
    while at > 0 and not lines[at - 1].strip():
        at -= 1
    new, rest = "\n".join(lines[:at]).strip(), "\n".join(lines[at:]).strip()
    return (new, rest or None) if new else (text.strip(), None)


def _begins_history(lines: list[str], at: int) -> bool:
    two = " ".join(lines[at : at + 2])
    if any(pattern.match(lines[at]) for pattern in HISTORY) or HISTORY[0].match(two):
        return True
    if SENDER_LINE.match(lines[at]) and any(SENT_LINE.match(line) for line in lines[at + 1 : at + 4]):
        return True
    # Quotes between which somebody answers stay where they are: only a block that reaches the end is history.
    return lines[at].startswith(">") and all(not line.strip() or line.startswith(">") for line in lines[at:])
