"""All files together: complete, provable, and the same bytes every time."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

from routing.export import bundle
from routing.export.tour import Tour
from routing.export.types import DaySheet
from routing.export.web_map import Assets
from tests.routing.export.conftest import VENDOR, day_sheet, tour_of, week

LATER = """
import time
real = time.time
time.time = lambda: real() + 40_000_000
"""
"""The clock of a machine that runs more than a year ahead; what asks it for the date gets another one."""
HASHES = """
import hashlib
from pathlib import Path
from routing.export import bundle
from routing.export.web_map import Assets
from tests.routing.export.conftest import week
for file in bundle.write(week(), Assets.of(Path(%r))):
    print(file.name, hashlib.sha256(file.content).hexdigest())
"""


def test_a_day_comes_in_every_format_with_a_manifest(tour: Tour, assets: Assets) -> None:
    names = [file.name for file in bundle.write(tour, assets)]
    stem = "2026-11-24-zoe"
    assert names == [
        *(f"{stem}.{end}" for end in ["ics", "gpx", "geojson", "csv", "xlsx", "pdf", "html"]),
        "manifest.json",
    ]


def test_the_manifest_proves_every_file(tour: Tour, assets: Assets) -> None:
    *files, manifest = bundle.write(tour, assets)
    listed = {entry["name"]: entry for entry in json.loads(manifest.content)["files"]}
    assert set(listed) == {file.name for file in files}
    for file in files:
        assert listed[file.name]["sha256"] == hashlib.sha256(file.content).hexdigest()
        assert listed[file.name]["size"] == len(file.content)


def test_the_same_day_gives_the_same_bytes(assets: Assets) -> None:
    assert bundle.write(tour_of(day_sheet()), assets) == bundle.write(tour_of(day_sheet()), assets)


def test_another_process_at_another_time_in_another_zone_gives_the_same_bytes(assets: Assets) -> None:
    elsewhere = {**os.environ, "TZ": "Pacific/Auckland", "PYTHONHASHSEED": "7", "LC_ALL": "C"}
    command = [sys.executable, "-c", LATER + HASHES % str(VENDOR)]
    shown = subprocess.run(command, env=elsewhere, capture_output=True, text=True, check=True).stdout
    here = [f"{file.name} {hashlib.sha256(file.content).hexdigest()}" for file in bundle.write(week(), assets)]
    assert shown.splitlines() == here


def test_the_version_on_the_sheets_changes_with_what_they_say(sheet: DaySheet) -> None:
    later = replace(sheet.stops[2], ends_at=sheet.stops[2].ends_at + timedelta(minutes=1))
    changed = replace(sheet, stops=(*sheet.stops[:2], later))
    assert tour_of(sheet).mark == tour_of(sheet).mark != tour_of(changed).mark


def test_an_awkward_sign_in_name_becomes_a_harmless_file_name(sheet: DaySheet) -> None:
    assert tour_of(replace(sheet, login="../Ü b/c")).file_stem == "2026-11-24-b-c"
    assert tour_of(replace(sheet, login="Ü")).file_stem == "2026-11-24-rep"
