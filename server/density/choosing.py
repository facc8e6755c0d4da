"""What of the market is looked at: all of it, or firms of a kind, with the customers that a filter finds."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from server.density.queries import Figure, trades_of


@dataclass(frozen=True)
class Chosen:
    """What a file of the market shows."""

    kind: str | None = None
    """`shop=bakery`, or `shop` for all shops; None: all kinds."""
    filter: str | None = None
    """In the filter language of accounts: which customers are listed. The counts of hexagons stay those of all."""
    resolution: int | None = None
    """H3 resolution of the hexagons; None: what fits the file."""
    figure: Figure | None = None
    """What the hexagons of a table are ranked by; None: they stand in the order of their names."""

    def trades(self, session: Session) -> Sequence[int] | None:
        """The kinds, None for all. Refuses a word that no firm goes by."""
        return trades_of(session, self.kind) if self.kind else None

    def lines(self) -> list[tuple[str, str]]:
        """What was asked, for the sheet or layer that says what a file was made from."""
        ranked = [("hexagons ranked by", self.figure.value)] if self.figure else []
        return [("kind", self.kind or "all"), ("customers listed", self.filter or "all"), *ranked]


EVERYTHING = Chosen()
