"""Background work of accounts: pins (see `locating`), duplicates and repairs (see `repairing`)."""

from server.accounts.duplicates.jobs import find_duplicates
from server.accounts.locating import (
    ask_elsewhere,
    check_pins_again,
    give_pins_back,
    locate_account,
    locate_pending,
)
from server.accounts.reviewing.repairing import apply_repair, search_repair
from server.accounts.tally_jobs import tally_accounts

__all__ = [
    "apply_repair",
    "ask_elsewhere",
    "check_pins_again",
    "find_duplicates",
    "give_pins_back",
    "locate_account",
    "locate_pending",
    "search_repair",
    "tally_accounts",
]
