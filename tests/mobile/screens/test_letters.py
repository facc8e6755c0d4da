"""What is drawn of other writings than Latin, and of signs."""

import pytest
from fontTools.ttLib import TTFont

pytestmark = pytest.mark.window


@pytest.fixture(autouse=True)
def fonts():
    from mobile.widgets.base import register_fonts

    register_fonts()


def test_letters_that_inter_lacks_are_drawn_in_a_font_that_has_them():
    from mobile.widgets.base import FONTS, OTHER, Text, Word
    from mobile.widgets.controls import Field

    has = set(TTFont(FONTS / "Inter-Regular.otf").getBestCmap())
    assert {chr(code) for code in has if OTHER.search(chr(code))} == set()
    lacked = [chr(code) for code in range(0x21, 0x10000) if code not in has and not OTHER.search(chr(code))]
    assert [letter for letter in lacked if letter.isprintable()] == []
    greek = "Ταβέρνα Ωμέγα"
    assert [Text("Café").font_name, Text(greek).font_name, Word(greek).font_name] == ["Inter", "Other", "Other"]
    note = Field("Note", "Café", lines=3)
    note.input.text = greek
    assert note.input.font_name == "Other"


def test_signs_that_no_font_has_are_named():
    from mobile.widgets.base import Text

    assert Text("Danke \U0001f44d\U0001f3fd, \u2600\ufe0f und \u2713").text == "Danke (Emoji), (Emoji) und \u2713"


def test_a_hint_has_the_fields_font_from_the_first(screen):
    from mobile.widgets.controls import Field

    field = Field("", hint="Name, town or number").input
    at_first = tuple(field._hint_text_rects[0].size)
    field._refresh_line_options()
    field._refresh_hint_text()
    assert tuple(field._hint_text_rects[0].size) == at_first
