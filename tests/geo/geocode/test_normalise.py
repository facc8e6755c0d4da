"""Folding and taking street names apart."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.geocode.normalise import from_words, may_be_type, street_name, type_edits
from geo.geocode.vocabulary import fold, vocabulary


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(codec="latin-1"), max_size=40))
def test_a_name_taken_apart_again_stays_as_it_is(text: str) -> None:
    once = street_name(text)
    assert from_words(once.words) == once
    assert street_name(" ".join(once.words)).glued == once.glued


@pytest.mark.parametrize(
    "writings",
    [
        ("Bahnhofstrasse", "Bahnhofstraße", "BAHNHOFSTR.", "bahnhof-strasse", "Bahnhof Str"),
        ("Müllerweg", "Muellerweg", "MULLERWEG", "Müller Weg"),
        ("Via Garibaldi", "V. Garibaldi", "VIA GARIBALDI"),
        ("Viale Libertà", "V.le Liberta'"),
        ("Piazza Roma", "P.za Roma", "P.zza Roma", "Pza Roma"),
        ("Calle Mayor", "C/ Mayor", "c. mayor"),
        ("Avenida de América", "Avda. de America", "Av de América"),
        ("Mount Carmel Road", "Mt. Carmel Rd", "MT CARMEL RD."),
        ("North Beechwood Avenue", "N. Beechwood Ave"),
        ("Sint-Pietersnieuwstraat", "St Pietersnieuwstraat", "St.-Pietersnieuwstr."),
        ("Sankt Eriksgatan", "S:t Eriksgatan", "St Eriksgatan"),
        ("Nørre Voldgade", "Norre Voldgade"),
        ("Václavské náměstí", "Vaclavske nam."),
        ("Aleja Jana Pawła II", "Al. Jana Pawla II"),
    ],
)
def test_spellings_of_one_street_share_a_key_and_a_type(writings: tuple[str, ...]) -> None:
    first = street_name(writings[0])
    for writing in writings[1:]:
        other = street_name(writing)
        assert set(first.keys) & set(other.keys), writing
        assert first.types & other.types, writing


def test_a_street_named_only_by_its_type_keeps_its_name() -> None:
    assert street_name("Weg").core == "weg"
    assert street_name("Im Winkel").core == "imwinkel"


def test_a_cut_or_misspelt_type_is_still_its_type() -> None:
    gasse = street_name("Backofengasse").types
    assert type_edits("ga", gasse) == 0
    assert type_edits("gsse", gasse) == 0
    assert type_edits("raod", street_name("Mill Road").types) == 1
    assert type_edits("hof", gasse) is None


def test_the_tables_are_folded_like_the_addresses() -> None:
    table = vocabulary()
    assert {fold("Avenue"), fold("Chaussée"), fold("Praça")} <= set(table.front)
    assert {fold("Gränd"), fold("Straße"), fold("vænget"), fold("Väylä")} <= set(table.joined)
    assert table.countries[fold("Österreich")] == "AT"
    assert street_name("Eteläesplanadi").types & street_name("Et. espl.").types


@given(st.text("abegnrstvw", max_size=9))
def test_a_piece_that_may_be_no_type_at_all_is_none_of_them(written: str) -> None:
    table = vocabulary()
    known = {types for words in (table.front, table.behind, table.joined) for types in words.values()}
    if not may_be_type(written):
        assert all(type_edits(written, types) is None for types in known)


@pytest.mark.parametrize("seed", ["1", "3"])
def test_a_misspelt_type_is_the_same_whatever_the_hashes_of_the_process(seed: str) -> None:
    program = """
from geo.geocode.likeness import likeness
from geo.geocode.normalise import street_name
print(likeness(street_name("Ąžuolų gatiė"), [street_name("Ąžuolų gatvė")]).edits)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=Path(__file__).parents[3], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": seed},
    )  # fmt: skip
    assert done.stdout == "1\n"
