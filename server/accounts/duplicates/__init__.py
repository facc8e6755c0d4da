"""Accounts that may be the same: the search, the decision, merging and its undo."""
