"""Texts, tokens and fonts: complete, legible, and with every sign they need."""

import json
import re
import string
from pathlib import Path

import pytest

from mobile import theme
from mobile.texts import DE, EN, Words
from mobile.widgets.icons import ICONS, MARK_ICONS, STATE_ICONS

FONTS = Path(theme.__file__).parent / "fonts"
ROOT = FONTS.parent.parent


def slots(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_say_the_same_things_with_the_same_slots():
    assert EN.keys() == DE.keys()
    assert {k: slots(v) for k, v in EN.items()} == {k: slots(v) for k, v in DE.items()}


def test_every_oddity_of_a_visit_is_told_in_words():
    rules = "".join((ROOT / "server" / name).read_text() for name in ("activities/facts.py", "activities/recording.py"))
    odd = set(re.findall(r'yield "([a-z_]+)"', rules)) | {"account_deleted", "unplanned", "late_scope", "site_gone"}
    odd |= {"done_after_missed", "done_after_cancelled", "missed_after_done", "cancelled_after_done"}
    odd |= {"unknown_zone", "unknown_outcome", "unreadable", "unfit_answers"}
    assert len(odd) > 15
    assert {f"flag_{one}" for one in odd} <= EN.keys()


def test_german_has_one_word_for_each_thing():
    mixed = [text for text in DE.values() if re.search(r"\b(Sync|Deals?)\b", text)]
    assert mixed == []


def test_every_text_a_screen_asks_for_exists():
    sources = "".join(p.read_text() for p in (FONTS.parent / "screens").glob("*.py"))
    asked = set(re.findall(r'words\(\s*"([a-z_0-9]+)"', sources)) | set(
        re.findall(r'words\.count\("([a-z_]+)"', sources)
    )
    assert asked <= EN.keys()


def test_the_words_of_templates_are_told_in_german_as_in_the_office():
    def said(part, key=""):
        if isinstance(part, dict):
            yield from [part["name"]] if {"questions", "fields"} & part.keys() else []  # that of fields heads them
            for name, value in part.items():
                yield from said(value, name)
        elif isinstance(part, list):
            for one in part:
                yield from said(one)
        elif key in ("label", "help", "unit"):
            yield part

    pages = json.loads((ROOT / "server/web/texts/de.json").read_text(encoding="utf-8"))
    files = sorted((ROOT / "server/fields/templates").glob("*.json"))
    known = {word for path in files for word in said(json.loads(path.read_text(encoding="utf-8")))}
    known |= {"Decision maker", "Buyer", "User", "Technician", "Accounting", "Reception"}
    assert len(known) > 100
    told = Words("de").own
    elsewhere = {"By", "Condition", "Owner"}  # the pages say the same English word of something else
    assert {word: told(word) for word in known - elsewhere} == {
        word: pages.get(word, word) for word in known - elsewhere
    }
    assert {word: told(word) for word in elsewhere} == {"By": "Bis", "Condition": "Zustand", "Owner": "Eigentümer"}
    assert (told("Our own question"), Words("en").own("Shelf check")) == ("Our own question", "Shelf check")
    assert (Words("de").outcome("order", "Order"), Words("de").outcome("order", "Sold")) == ("Auftrag", "Sold")


def test_the_fonts_hold_every_sign_that_is_written():
    ttlib = pytest.importorskip("fontTools.ttLib")
    written = set("".join([*EN.values(), *DE.values()])) | set("äöüÄÖÜßéèàçñøåłšž€0123456789·–…✓")
    for name in ("Inter-Regular.otf", "Inter-SemiBold.otf"):
        held = ttlib.TTFont(FONTS / name).getBestCmap()
        assert [c for c in sorted(written) if ord(c) not in held] == []
    held = ttlib.TTFont(FONTS / "lucide.ttf").getBestCmap()
    assert [name for name, sign in ICONS.items() if ord(sign) not in held] == []
    assert {*MARK_ICONS.values(), *STATE_ICONS.values()} <= ICONS.keys()


@pytest.mark.parametrize("palette", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
def test_words_can_be_read_in_both_themes(palette):
    for behind in (palette.paper, palette.ground):
        assert theme.contrast(palette.ink, behind) >= 7
        for ink in (palette.quiet, palette.brand, palette.good, palette.bad, palette.info):
            assert theme.contrast(ink, behind) >= 4.5, ink
    assert theme.contrast(palette.on_brand, palette.brand) >= 4.5
    assert theme.contrast(palette.map_label, palette.map_ground) >= 7


def test_values_are_written_as_people_of_that_language_write_them():
    en, de = Words("en"), Words("de")
    assert (en.distance(640), en.distance(1400), de.distance(1400), en.distance(138_000)) == (
        "640 m",
        "1.4 km",
        "1,4 km",
        "138 km",
    )
    assert (en.duration(8100), en.duration(540)) == ("2 h 15 min", "9 min")
    assert (en.number(2914), de.number(2914)) == ("2,914", "2.914")
    assert Words("fr").language == "en"


SHARED = {
    "paper": "paper", "ground": "ground", "ink": "ink", "quiet": "quiet", "line": "line", "brand": "brand",
    "brand-hover": "brand_hover", "on-brand": "on_brand", "blaze": "accent", "good": "good", "warn": "warn",
    "bad": "bad", "info": "info",
}  # fmt: skip
"""The maps are drawn by different means and have greys of their own."""


def test_the_phone_and_the_pages_have_the_same_colours():
    css = (FONTS.parent.parent / "server/web/static/css/tokens.css").read_text(encoding="utf-8")
    light, dark = css.split(':root[data-theme="dark"]')
    for palette, block in ((theme.LIGHT, light), (theme.DARK, dark)):
        values = dict(re.findall(r"--([a-z0-9-]+): (#[0-9A-F]{6})", block))
        assert {name: getattr(palette, SHARED[name]) for name in SHARED} == {name: values[name] for name in SHARED}
    assert tuple(re.findall(r"--category-\d: (#[0-9A-F]{6})", light)) == theme.CATEGORIES
