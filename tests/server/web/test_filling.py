"""Templates that are compiled for speed say what they said."""

from jinja2 import DictLoader
from markupsafe import Markup, escape

from server.web.filling import Quick, written

PAGES = {
    "base.html": "<{% block main %}{% endblock %}|{{ t('A & B') }}>",
    "part.html": "[{{ name }}]",
    "page.html": (
        "{% extends 'base.html' %}{% macro bold(text) %}<b>{{ text }}</b>{% endmacro %}"
        "{% block main %}{{ bold(name) }}{% include 'part.html' %}{% for one in many %}{{ t(one) }}{% endfor %}"
        "{{ icon('x', 16) }}{{ t('Hello {who}', who=name) }}{% endblock %}"
    ),
}


def filled(asked: list[str]) -> str:
    """The page, and what its functions were asked."""

    def t(text: str, **values: object) -> str:
        asked.append(text)
        return text.format(**values)

    known = {"t": t, "icon": lambda name, size: Markup(f'<svg id="{name}" width="{size}"/>')}
    made = Quick(known, loader=DictLoader(PAGES), autoescape=True).get_template("page.html")
    made.render(name="", many=[])
    asked.clear()
    return made.render(name="<M&M>", many=["1", "<"])


def test_a_page_is_whole_and_everything_in_it_is_escaped_once() -> None:
    name = "&lt;M&amp;M&gt;"
    assert filled([]) == f'<<b>{name}</b>[{name}]1&lt;<svg id="x" width="16"/>Hello {name}|A &amp; B>'


def test_a_fixed_text_is_looked_up_when_its_template_is_read() -> None:
    asked: list[str] = []
    filled(asked)
    assert asked == ["1", "<", "Hello {who}"]


def test_what_is_written_is_what_escape_makes_of_it() -> None:
    for value in ("a<b", Markup("<b>"), 7, None, 1.5, ["<"]):
        assert written(value) == escape(value)
