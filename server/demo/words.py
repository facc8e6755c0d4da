"""The made-up company speaks the language of the company: what its people wrote stands in it."""

from server.kit.settings import settings
from server.web.language import Language


def say(text: str) -> str:
    """A text of the generators in the company's language."""
    return Language(settings().language).t(text)
