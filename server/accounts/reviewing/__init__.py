"""Pins in doubt: the queue and the desk, proposals of reps, and bulk repairs."""
