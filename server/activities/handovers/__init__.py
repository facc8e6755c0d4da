"""Handing accounts over from one owner to another: on a day, with a note, and with what is still open there."""
