"""Products, prices and stock from a file: dry run, update by number, twice the same, undo."""

from typing import Any

from sqlalchemy import func, select

from server.products.models import Price, Product, StockLevel

FILE = """Artikelnr;Bezeichnung;Kategorie;Einheit;Preis;Bestand;EAN;Mindestmenge
P-1;Coffee, ground;Coffee;kg;13,50;120;4006381333931;6
P-2;Tea;Nowhere;box;5.20;;;
P-3;Wrong code;;pc;1.00;;4006381333932;
P-4;;;pc;1.00;;;
P-1;Twice;;pc;1.00;;;
"""


def send(client: Any, content: str, retail: Any) -> Any:
    sent = client.post("/api/v1/imports", files={"file": ("list.csv", content.encode())}, data={"kind": "products"})
    assert sent.status_code == 201, sent.text
    body = {"mapping": sent.json()["mapping"], "price_list": str(retail.id)}
    answer = client.post(f"/api/v1/imports/{sent.json()['id']}/mapping", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_stranger_and_a_rep_bring_nothing_in(client_for: Any, rita: Any) -> None:
    for user, code in ((None, 401), (rita, 403)):
        answer = client_for(user).post("/api/v1/imports", files={"file": ("list.csv", b"number\n1")})
        assert answer.status_code == code


def test_a_file_is_tried_applied_and_taken_back(
    session: Any, admin_client: Any, make_product: Any, retail: Any
) -> None:
    coffee = make_product("P-1", "Coffee", "12.50")
    run = send(admin_client, FILE, retail)
    assert {name: run["counts"][name] for name in ("create", "update", "error")} == {
        "create": 1,
        "update": 1,
        "error": 3,
    }
    rows = admin_client.get(f"/api/v1/imports/{run['id']}/rows?problems=true").json()["items"]
    said = {row["row_no"]: " ".join(problem["message"] for problem in row["problems"]) for row in rows}
    assert "“Nowhere” is not known" in said[3]
    assert "check digit" in said[4]
    assert "name of a new product is missing" in said[5]
    assert "Row 2" in said[6]
    assert session.scalar(select(func.count()).select_from(Product)) == 1, "nothing is changed yet"
    done = admin_client.post(f"/api/v1/imports/{run['id']}/apply")
    assert done.json()["state"] == "done", done.text
    session.refresh(coffee)
    assert (coffee.name, coffee.min_quantity, coffee.ean) == ("Coffee, ground", 6, "4006381333931")
    assert session.scalars(select(Price.unit_price).where(Price.product_id == coffee.id)).all() == [13.5]
    assert session.scalars(select(StockLevel.quantity)).all() == [120]
    again = send(admin_client, FILE.replace("P-4;;;pc;1.00;;;\n", ""), retail)
    assert (again["counts"]["create"], again["counts"]["update"], again["counts"]["unchanged"]) == (0, 0, 2)
    undone = admin_client.post(f"/api/v1/imports/{run['id']}/undo")
    assert undone.status_code == 200, undone.text
    session.refresh(coffee)
    assert (coffee.name, coffee.ean) == ("Coffee", None)
    living = select(Price.unit_price).where(Price.deleted_at.is_(None))
    assert session.scalars(living).all() == [12.5]
    assert session.scalars(select(Product.number).where(Product.deleted_at.is_(None))).all() == ["P-1"]
