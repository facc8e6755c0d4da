"""Segments: saved filters of every kind of object, with their members, numbers and history."""
