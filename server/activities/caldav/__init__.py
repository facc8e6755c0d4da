"""Somebody's own calendar on a CalDAV server, kept the same as ours: changes on both sides, deletions, repeats."""
