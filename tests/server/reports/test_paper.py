"""Reports as files and as charts: what stands there, and how figures are written."""

import csv
import io
import re
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdf import PdfReader

from server.kit.settings import settings
from server.reports import paper
from server.reports.figures import By, Group, Report
from server.reports.measures import BY_KEY, Sums
from server.reports.periods import Period
from server.web.charts import LETTER, groups_chart
from server.web.language import Language
from tests.server.reports.conftest import World

pytestmark = pytest.mark.usefixtures("app")


def test_the_files_hold_what_the_page_shows(clients: Any, world: World, period: Period) -> None:
    asked = f"span=month&day={period.first}"
    told = clients["ada"].get(f"/api/v1/reports?{asked}").json()
    figure = next(one for one in told["total"]["figures"] if one["measure"] == "coverage")
    assert (figure["value"], figure["counted"], figure["of"]) == (0.5, 2, 4)
    table = list(
        csv.DictReader(
            io.StringIO(clients["ada"].get(f"/api/v1/reports/file?format=csv&{asked}").text.lstrip("\ufeff"))
        )
    )
    assert next(row for row in table if row["measure"] == "coverage" and not row["group"])["value"] == "0.5"
    book = load_workbook(io.BytesIO(clients["ada"].get(f"/api/v1/reports/file?format=xlsx&{asked}").content))
    assert len(list(book.active.iter_rows())) == len(table) + 1
    first, second = (clients["ada"].get(f"/api/v1/reports/file?format=pdf&{asked}").content for _ in range(2))
    assert first == second
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(first)).pages)
    assert "Coverage" in text
    assert "Rita" in text
    trend_told = clients["ada"].get(f"/api/v1/reports/trends/visits?{asked}").json()
    assert (len(trend_told), trend_told[-1]["value"]) == (12, 2)
    for format in ("csv", "xlsx"):
        answer = clients["ada"].get(f"/api/v1/reports/trends/visits/file?format={format}&{asked}&filter=class+%3D+A")
        assert f"visits-trend-{period.name}.{format}" in answer.headers["content-disposition"]
        if format == "csv":
            kept = list(csv.DictReader(io.StringIO(answer.text.lstrip("\ufeff"))))
            assert [row["last_day"] for row in kept] == [one["period"]["last"] for one in trend_told]
            assert (kept[-1]["value"], kept[-1]["filter"]) == ("1.0", "class = A")
        else:
            assert len(list(load_workbook(io.BytesIO(answer.content)).active.iter_rows())) == 13
    assert clients["ada"].get(f"/api/v1/reports/trends/visits/file?format=pdf&{asked}").status_code == 422


def test_a_filter_with_control_characters_is_in_the_file_without_them(
    clients: Any, world: World, period: Period
) -> None:
    path = f"/api/v1/reports/trends/visits/file?format=xlsx&span=month&day={period.first}"
    answer = clients["ada"].get(path + "&filter=name+contains+%22a%0B%07b%22")
    assert answer.status_code == 200
    *_, last = load_workbook(io.BytesIO(answer.content)).active.iter_rows(values_only=True)
    assert last[-1] == 'name contains "ab"'


def test_paper_writes_numbers_as_pages_do() -> None:
    money, hours = BY_KEY["revenue_per_drive_hour"], BY_KEY["hours"]
    currency = settings().currency
    assert paper.value_of(money, 1569.4, "en") == f"1,569 {currency}"
    assert paper.value_of(money, 1569.4, "de") == f"1.569 {currency}"
    group = Group(None, None, now=Sums(planned_h=51.2, available_h=1171, revenue=Decimal(15378), drive_s=36000))
    assert paper._cells(hours, group, paper.WORDS["de"])[2:] == ["51,2 h", "1.171,0 h"]
    assert paper._cells(money, group, paper.WORDS["en"])[2:] == [f"15,378 {currency}", "10.0 h"]


def test_no_line_strikes_a_value_through(period: Period) -> None:
    for was in range(30, 70):
        groups = [
            Group("a", "Amann", now=Sums(accounts=100, visited=46), then=Sums(accounts=100, visited=was)),
            Group("b", "Beck", now=Sums(accounts=100, visited=60), then=Sums(accounts=100, visited=60)),
        ]
        found = Report(period, period, period, By.PERSON, None, [], groups, Group(None, None), is_of_today=False)
        drawn = groups_chart(found, BY_KEY["coverage"], lambda value: f"{value:.1%}", Language("en"))
        for chart, wide in zip(drawn.split("</svg>"), (960, 300), strict=False):
            lines = [float(x) for x in re.findall(r'class="then" x1="([\d.]+)"', chart)]
            texts = [float(x) for x in re.findall(r'<text x="([\d.]+)" y="\d+">', chart)]
            assert len(lines) == len(texts) == 2
            for line, start in zip(lines, texts, strict=True):
                assert not start - 2 < line < start + 5 * LETTER, (wide, was)
                assert start + 5 * LETTER < wide


def test_what_is_money_is_written_as_money(clients: Any, world: World, period: Period) -> None:
    headers = {"accept": "text/html"}
    cards = clients["ada"].get(f"/reports?day={period.first}", headers=headers).text
    assert "500 EUR · orders, net" in cards
    page = clients["ada"].get(f"/reports/measures/revenue_per_drive_hour?day={period.first}", headers=headers).text
    assert "500 EUR · orders, net : 2 hours of driving" in page
