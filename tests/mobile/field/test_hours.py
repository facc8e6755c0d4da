"""Opening hours as people write them."""

from mobile.field import hours
from server.accounts import opening_hours


def test_german_opening_hours_are_read_as_the_server_reads_them():
    assert hours.in_syntax("Di–Do 09:00-12:00; So geschlossen") == "Tu-Th 09:00-12:00; Su off"
    assert hours.in_syntax('Mo 09:00-12:00 "nur So"') == 'Mo 09:00-12:00 "nur So"'
    assert hours.is_understood(hours.in_syntax("Di-Do 09:00-12:00"))
    assert hours.GERMAN == opening_hours.GERMAN, "the phone shares no code with the server, but its words"
