"""Phones that call: who they are, how many at once, in which transaction."""
