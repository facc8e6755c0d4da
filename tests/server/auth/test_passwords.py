"""How passwords are kept."""

from server.auth import service

HASHER = service.hasher()
"""The program's own: the tests' cheap one is put in its place later."""


def test_passwords_cost_a_thief_what_the_standard_recommends() -> None:
    kept = HASHER.hash("three words make one")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert HASHER.verify(kept, "three words make one")
