"""What every screen is given: the phone, its store, the words, and where one can go."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from mobile.field import zones
from mobile.field.finding import AccountIndex
from mobile.field.home import SignedIn
from mobile.field.maps.pack import MapPack
from mobile.field.store import Store
from mobile.field.sync.worker import AFTER_SAVE_S
from mobile.phone import Phone
from mobile.texts import Words

Undo = tuple[str, Callable[[], None]]
"""The word on a button, and what its tap does."""


class Navigator(Protocol):
    """Where a screen can send the rep."""

    def go(self, screen: str, **arguments: Any) -> None: ...

    def back(self, steps: int = 1) -> None: ...

    def instead(self, screen: str, **arguments: Any) -> None: ...

    def again(self) -> None: ...

    def toast(self, text: str, kind: str = "good", undo: Undo | None = None) -> None: ...

    def saved(self, after_s: float = AFTER_SAVE_S) -> None: ...

    def sync_now(self) -> None: ...

    def fetch_pictures(self, hashes: list[str]) -> None: ...

    def unlocked(self) -> None: ...

    def forget_pin(self) -> None: ...

    def open_link(self, link: str) -> None: ...


@dataclass
class Context:
    """The app as screens see it."""

    phone: Phone
    words: Words
    nav: Navigator
    store: Store | None = None
    who: SignedIn | None = None
    packs: list[MapPack] = field(default_factory=list)
    syncing: bool = False
    problem: str | None = None
    wide: bool = False
    day: date | None = None
    index: AccountIndex | None = None
    sync_line: Any = None
    search: str = ""
    view: Any = None
    """The day whose map was left for something else, and where one looked."""
    missed: dict[str, Any] = field(default_factory=dict)
    """The forms behind missed visits that can be undone, by visit."""
    draft: str | None = None
    """The one that the present screen was opened for; None: its latest."""

    def shown(self, build: Callable[..., Any], draft: str | None = None, **arguments: Any) -> Any:
        """A screen built anew, for one of its drafts where that was chosen."""
        self.draft = draft
        return build(self, **arguments)

    def forget(self) -> None:
        """Nothing of what somebody looked for, opened or was told is there for the next one."""
        self.day = self.index = self.view = self.problem = None
        self.search = ""
        self.missed = {}

    @property
    def files(self) -> Store:
        """The signed-in user's store."""
        if self.store is None:
            raise RuntimeError("this screen needs somebody signed in")
        return self.store

    def outcomes(self) -> list[tuple[str, str]]:
        """The outcomes that a visit may have, and what they are called in the rep's language."""
        return [(value, self.words.outcome(value, label)) for value, label in self.files.picklist("visit_outcome")]

    @property
    def zone(self) -> ZoneInfo:
        """In which the rep's times are told."""
        return zones.of(self.files.outbox)

    @property
    def today(self) -> date:
        """The rep's day, by the server's clock where it told it."""
        return zones.today(self.files.outbox)

    @property
    def user_id(self) -> str:
        return self.who.user_id if self.who else ""

    def accounts(self) -> AccountIndex:
        """The search index, built once per change of the accounts."""
        if self.index is None:
            self.index = AccountIndex(self.files)
        return self.index
