"""Amounts of a file: what is none, in which currency, and with how many decimals."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts.importing.target import TARGET
from server.imports import service
from tests.server.accounts.importing.conftest import checked, codes, outcomes


def test_figures_that_are_no_amount_are_an_error_of_their_row_and_say_how_to_mend_it(
    session: Session, tmp_path: Path
) -> None:
    cells = ('"0,1+0,2"', "0x10", "=1", "1e400", "-5", "viel", '"1,5 Mio"')
    rows = "".join(f"Firm {place},Vaduz,{cell}\n" for place, cell in enumerate(cells))
    run = checked(session, tmp_path, f"name,ort,umsatz\n{rows}")
    found = outcomes(session, run)
    assert [found[row].action for row in range(2, 9)] == ["error"] * 5 + ["create"] * 2
    assert found[2].problems[0]["message"] == (
        "Yearly value: “0,1+0,2” is no amount. Write one number from 0 to 999,999,999,999.99, such as 12500.00, or"
        " leave the cell empty."
    )
    assert [one["level"] for one in found[7].problems] == ["warning"], "a word holds no figure that could be lost"
    assert found[8].values["yearly_value"] == 1_500_000


def test_amounts_of_two_currencies_and_with_parts_of_a_cent_are_told(session: Session, tmp_path: Path) -> None:
    cells = ("5 eur usd", "1.23.456", "1,23,456", '"0,005"', "12500.0000000001", "CAD $ 7", "€ 9")
    rows = "".join(f"Firm {place};Vaduz;{cell};CHF\n" for place, cell in enumerate(cells))
    run = checked(session, tmp_path, f"name;ort;umsatz;währung\n{rows}")
    found = outcomes(session, run)
    assert [codes(session, run)[row] for row in range(2, 9)] == [
        ["two_currencies"], ["not_an_amount"], [], ["rounded"], [], ["other_currency"], ["other_currency"],
    ]  # fmt: skip
    assert [found[row].action for row in (2, 3)] == ["error"] * 2
    assert [found[row].values["yearly_value"] for row in range(4, 9)] == [123_456, 0.01, 12_500, 7, 9]
    assert [found[row].problems[0]["message"] for row in (2, 5, 8)] == [
        "Yearly value: “5 eur usd” names EUR and USD. Keep the currency that is meant.",
        "Yearly value: “0.005” has more decimals than CHF; taken as 0.01.",
        "Yearly value: “€ 9” names EUR, the row's currency is CHF; kept.",
    ]


def test_an_account_in_another_currency_than_the_imports_changes_once(session: Session, tmp_path: Path) -> None:
    first = "number;name;umsatz;währung\nK-1;Firm 1;1000;JPY\nK-2;Firm 2;1000;CHF\n"
    taken = checked(session, tmp_path, first)
    service.apply(session, TARGET, taken)
    for counts in ({"update": 2}, {"unchanged": 2}):
        again = checked(session, tmp_path, "number;name;umsatz\nK-1;Firm 1;1000.55\nK-2;Firm 2;1000.55\n")
        assert {
            name: n for name, n in again.counts.items() if name in ("create", "update", "unchanged") and n
        } == counts
        service.apply(session, TARGET, again)
    held = dict(session.execute(text("select currency, yearly_value from account")).all())
    assert {code: str(value) for code, value in held.items()} == {"JPY": "1001", "CHF": "1000.55"}


def test_an_amount_without_currency_keeps_the_decimals_of_the_account_that_it_is_about(
    session: Session, tmp_path: Path
) -> None:
    first = "number;name;umsatz;währung\nK-1;Firm 1;1;KWD\nK-2;Firm 2;1;JPY\nK-3;Firm 3;1;CHF\n"
    service.apply(session, TARGET, checked(session, tmp_path, first))
    rows = "K-1;Firm 1;1234.345\nK-2;Firm 2;1234.345\nK-3;Firm 3;1234.345\nK-4;Firm 4;1234.345\n"
    again = checked(session, tmp_path, f"number;name;umsatz\n{rows}")
    found = outcomes(session, again)
    assert {row.values["number"]: row.changes.get("yearly_value") for row in found.values()} == {
        "K-1": [1, 1234.345], "K-2": [1, 1234], "K-3": [1, 1234.35], "K-4": None,
    }  # fmt: skip
    assert [
        problem["message"] for row in found.values() for problem in row.problems if problem["code"] == "rounded"
    ] == [
        "Yearly value: “1234.345” has more decimals than JPY; taken as 1234.",
        "Yearly value: “1234.345” has more decimals than CHF; taken as 1234.35.",
        "Yearly value: “1234.345” has more decimals than EUR; taken as 1234.35.",
    ]
    service.apply(session, TARGET, again)
    held = dict(session.execute(text("select number, yearly_value from account")).all())
    assert {number: str(value) for number, value in held.items()} == {
        "K-1": "1234.345", "K-2": "1234", "K-3": "1234.35", "K-4": "1234.35",
    }  # fmt: skip
    assert checked(session, tmp_path, f"number;name;umsatz\n{rows}").counts["unchanged"] == 4
