"""Parts with a dot between them: where they are wrapped, no line begins with the dot, and none is one alone."""

import pytest

pytestmark = pytest.mark.window
PARTS = "  ·  ".join(("4.2 km", "Ticket open", "promised", "closed on this day", "overdue"))


def lines_of(text):
    return ["".join(word.text for word in line.words).strip() for line in text._label._cached_lines]


def test_a_dot_stays_with_what_stands_before_it_at_every_width(screen):
    from mobile.widgets.base import Text

    text = Text(PARTS, 14)
    for width in range(120, 400, 7):
        text.width = width
        text.texture_update()
        lines = lines_of(text)
        assert not [line for line in lines if line.startswith("·")], (width, lines)
        assert "".join(lines).count("·") == 4


def test_a_text_that_changes_is_drawn_like_one_that_does_not(screen):
    from mobile.widgets.base import Text

    text = Text("", 14)
    text.text = PARTS
    assert text.text == Text(PARTS, 14).text
    assert "  ·" not in text.text
