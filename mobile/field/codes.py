"""Codes that let this phone in once: as they are typed, and as a picture says them."""

from urllib.parse import parse_qs, urlsplit

ALPHABET = frozenset("23456789ABCDEFGHJKMNPQRSTVWXYZ")
LENGTH = 10
SCHEME, PLACE = "waymark", "sign-in"


class NoCode(ValueError):
    """What was typed or scanned cannot be a code."""


def tidy(typed: str) -> str:
    """A code as the server wants it, however it was typed; raises NoCode when letters are wrong or missing."""
    code = "".join(letter for letter in typed.upper() if letter not in " -")
    if len(code) != LENGTH or not ALPHABET.issuperset(code):
        raise NoCode(f"a code has {LENGTH} letters and digits, without 0, 1, I, L, O and U")
    return f"{code[:5]}-{code[5:]}"


def told_by(picture: str) -> tuple[str, str]:
    """The server's address and the code that a picture says; raises NoCode when it is about something else."""
    try:
        parts = urlsplit(picture)
        said = parse_qs(parts.query)
        server, code = said["server"][0], tidy(said["code"][0])
        ours = (parts.scheme, parts.netloc) == (SCHEME, PLACE) and urlsplit(server).scheme in ("http", "https")
    except (KeyError, ValueError) as error:
        raise NoCode("this picture is not a code of Waymark's") from error
    if not ours:
        raise NoCode("this picture is not a code of Waymark's")
    return server, code
