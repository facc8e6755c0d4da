"""vCards: what goes out comes in again; one bad card does not spoil the others."""

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.auth.models import User
from server.contacts import queries, service, vcards
from server.contacts.service import NewPlace
from server.kit.errors import Invalid, TooLarge

THREE = """BEGIN:VCARD\r
VERSION:3.0\r
N:Marxer;Eva;;Dr.;\r
FN:Dr. Eva Marxer\r
ORG:Gärtnerei Amann AG;Einkauf\r
TITLE:Head of purchasing\\, plants\r
TEL;TYPE=WORK,VOICE:+423 237 12 12\r
item1.EMAIL;TYPE=INTERNET:eva@example.li\r
BDAY:1980-02-29\r
NOTE:First line\\nsecond line that is long enough to be folded over two lines b\r
 y whoever wrote it\r
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ\r
 SkZJRg==\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:4.0\r
FN:\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:2.1\r
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:B=C3=BCchel;Udo\r
TEL;CELL:nonsense\r
END:VCARD\r
"""


def test_what_a_contact_has_no_place_for_is_named(admin_client: TestClient, make_account: Any) -> None:
    taken = admin_client.post("/api/v1/contacts/vcards", content=THREE.encode()).json()
    eva = next(one["id"] for one in taken["created"] if one["last_name"] == "Marxer")
    assert taken["left_out"] == {eva: ["department", "photo"]}
    assert taken["noted"] == {eva: "Gärtnerei Amann AG"}
    again = THREE.replace("eva@example.li", "ina@example.li").replace("237 12 12", "237 12 99").replace("Eva", "Ina")
    taken = admin_client.post(
        f"/api/v1/contacts/vcards?account_id={make_account('Amann').id}", content=again.encode()
    ).json()
    ina = next(one["id"] for one in taken["created"] if one["last_name"] == "Marxer")
    assert taken["left_out"][ina] == ["company", "department", "photo"], (
        "the account is there, the name on the card not"
    )
    assert taken["noted"] == {}


def test_a_company_that_is_the_name_of_one_account_is_linked(client_for: Any, rita: User, make_account: Any) -> None:
    client, west, east = client_for(rita), (9.2, 47.2), (9.7, 47.2)
    one, fallback, *_ = (
        make_account(name, at=at)
        for name, at in (
            ("Gärtnerei Amann AG", west),
            ("Office", west),
            ("Beck", west),
            ("Beck", west),
            ("Marxer", east),
        )
    )
    made = [("Eva", "gärtnerei amann ag"), ("Ida", "Beck"), ("Udo", "Marxer"), ("Jon", "")]

    def file(domain: str) -> str:
        return "".join(
            f"BEGIN:VCARD\nN:Nigg;{name}\nORG:{firm}\nEMAIL:{name}@{domain}.li\nEND:VCARD\n" for name, firm in made
        )

    taken = client.post("/api/v1/contacts/vcards", content=file("one").encode()).json()
    ids = {row["first_name"]: row["id"] for row in taken["created"]}
    assert taken["linked"] == {ids["Eva"]: str(one.id)}
    assert taken["noted"] == {ids["Ida"]: "Beck", ids["Udo"]: "Marxer"}, "Marxer is out of reach"
    assert taken["alike"] == {"Beck": 2, "Marxer": 0}
    assert not any(taken["left_out"].values())
    path = f"/api/v1/contacts/vcards?otherwise_id={fallback.id}"
    taken = client.post(path, content=file("two").encode()).json()
    places = {
        row["first_name"]: client.get(f"/api/v1/contacts/{row['id']}").json()["accounts"][0]["account_id"]
        for row in taken["created"]
    }
    assert places == {"Eva": str(one.id)} | dict.fromkeys(("Ida", "Udo", "Jon"), str(fallback.id))


def test_cards_of_three_versions_are_read() -> None:
    eva, empty, udo = vcards.cards(THREE.encode())
    assert (eva.name, eva.organisation, eva.values["title"]) == (
        "Eva Marxer", "Gärtnerei Amann AG", "Head of purchasing, plants",
    )  # fmt: skip
    assert eva.values["phones"] == [{"label": "work", "value": "+423 237 12 12"}]
    assert eva.values["note"].endswith("lines by whoever wrote it")
    assert empty.trouble == "The card has no name."
    assert udo.name == "Udo Büchel"


def test_each_card_is_taken_by_itself(admin_client: TestClient, make_account: Any) -> None:
    account = make_account("Amann")
    path = f"/api/v1/contacts/vcards?account_id={account.id}"
    answer = admin_client.post(path, content=THREE.encode(), headers={"Content-Type": "text/vcard"})
    assert answer.status_code == 201, answer.text
    taken = answer.json()
    assert [one["name"] for one in taken["created"]] == ["Dr. Eva Marxer"]
    assert [(one["card"], one["name"]) for one in taken["refused"]] == [(2, "?"), (3, "Udo Büchel")]
    assert "phone number" in taken["refused"][1]["why"]
    again = admin_client.post(path, content=THREE.encode()).json()
    assert (again["created"], len(again["known"])) == ([], 1)


def test_what_goes_out_comes_in_again(session: Session, scope: Any, ada: User, make_account: Any) -> None:
    given = {
        "prefix": "Dr.", "first_name": "Eva", "last_name": "Marxer; von", "title": "Käuferin, Obst",
        "languages": "de,fr",
        "mails": [{"label": "work", "value": "eva@example.li"}],
        "phones": [{"label": "mobile", "value": "+41 79 1 2 3"}],
        "birthday": "1980-02-29", "note": "ä" * 100 + "\nline", "do_not_contact": True,
    }  # fmt: skip
    places = [NewPlace(make_account("Amann").id, {"roles": ["buyer"]})]
    contact = service.create(session, scope(ada), given, places)
    session.refresh(contact)
    written = vcards.written(queries.with_places(session, scope(ada), [contact]))
    assert max(len(line.encode()) for line in written.split("\r\n")) <= 75
    [one] = vcards.cards(written.encode())
    for name in ("prefix", "first_name", "last_name", "title", "mails", "phones", "note", "birthday", "do_not_contact"):
        assert one.values[name] == getattr(contact, name), name
    assert (one.organisation, one.values["languages"]) == ("Amann", ["de", "fr"])


IPHONE = """BEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Apple Inc.//iPhone OS 17.5//EN\r
N:Öhri;Zoë;;;\r
FN:Zoë Öhri\r
ORG:Öhri Buchhandlung;\r
EMAIL;type=INTERNET;type=HOME;type=pref:zoe@example.li\r
TEL;type=CELL;type=VOICE;type=pref:+41 79 123 45 67\r
item1.TEL:+423 237 12 13\r
item1.X-ABLabel:_$!<Other>!$_\r
item2.ADR;type=WORK:;;Landstrasse 7;Vaduz;;9490;Liechtenstein\r
BDAY;X-APPLE-OMIT-YEAR=1604:1604-03-01\r
END:VCARD\r
BEGIN:VCARD\r
VERSION:3.0\r
N:;;;;\r
FN:Gärtnerei Amann AG\r
ORG:Gärtnerei Amann AG;\r
TEL;type=MAIN:+423 237 12 14\r
X-ABShowAs:COMPANY\r
END:VCARD\r
"""
OUTLOOK = (
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=windows-1252;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg\r\n"
    b"TEL;WORK;VOICE:+423 237 12 15\r\nTEL;WORK;FAX:+423 237 12 16\r\n"
    b"NOTE;ENCODING=QUOTED-PRINTABLE:gro=C3=9F,=20=\r\nund lang\r\n"
    b"PHOTO;TYPE=JPEG;ENCODING=BASE64:\r\n /9j/4AAQSkZJRgABAQEA\r\n /9j/4AAQ==\r\n\r\n"
    b"EMAIL;PREF;INTERNET:joerg@example.li\r\nEND:VCARD\r\n"
    b"BEGIN:VCARD\r\nVERSION:2.1\r\nN:Beck;Ida\r\nPHOTO;JPEG;ENCODING=BASE64:/9j/4AAQSkZJ\r\nRgABAQEAYABg\r\n\r\n"
    b"TEL;CELL:+41 79 123 45 68\r\nEND:VCARD\r\n"
)
ANDROID = """BEGIN:VCARD
VERSION:4.0
FN:Dr. Ada Nigg
N:Nigg;Ada;;Dr.;
TEL;VALUE=uri;PREF=1;TYPE="voice,cell":tel:+41-79-123-45-69;ext=12
EMAIL;TYPE="work:x":ada@example.li
PHOTO:data:image/jpeg;base64,/9j/4AAQSkZJRg==
BDAY:--0301
END:VCARD
"""


def test_files_of_real_phones_are_read() -> None:
    zoe, firm = vcards.cards(IPHONE.encode())
    assert (zoe.name, zoe.values["birthday"], zoe.organisation) == ("Zoë Öhri", None, "Öhri Buchhandlung")
    assert [(one["label"], one["value"]) for one in zoe.values["phones"]] == [
        ("mobile", "+41 79 123 45 67"), ("", "+423 237 12 13"),
    ]  # fmt: skip
    assert (firm.values["first_name"], firm.values["last_name"]) == (None, "Gärtnerei Amann AG")
    assert [one.name for one in vcards.cards(IPHONE.encode("utf-16"))] == ["Zoë Öhri", "Gärtnerei Amann AG"]

    joerg, ida = vcards.cards(OUTLOOK)
    assert (joerg.name, joerg.values["note"]) == ("Jörg Müller", "groß, und lang")
    assert [one["label"] for one in joerg.values["phones"]] == ["work", "work"]
    assert joerg.values["mails"] == [{"label": "", "value": "joerg@example.li"}]
    assert (ida.name, ida.trouble, len(ida.values["phones"])) == ("Ida Beck", None, 1)

    [ada] = vcards.cards(ANDROID.encode())
    assert (ada.values["prefix"], ada.name, ada.values["birthday"]) == ("Dr.", "Ada Nigg", None)
    assert ada.values["phones"] == [{"label": "mobile", "value": "+41-79-123-45-69 ext. 12"}]
    assert ada.values["mails"][0]["value"] == "ada@example.li"


def test_the_cards_of_real_phones_are_taken_in(admin_client: TestClient) -> None:
    for content, names in (
        (IPHONE.encode(), ["Zoë Öhri", "Gärtnerei Amann AG"]),
        (OUTLOOK, ["Jörg Müller", "Ida Beck"]),
        (ANDROID.encode(), ["Dr. Ada Nigg"]),
    ):
        taken = admin_client.post("/api/v1/contacts/vcards", content=content).json()
        assert ([one["name"] for one in taken["created"]], taken["refused"]) == (names, [])


def test_a_file_that_is_cut_off_is_said_and_nothing_is_left_out_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcards, "MOST_BYTES", 100)
    with pytest.raises(TooLarge, match="larger than"):
        vcards.cards(IPHONE.encode())


def test_a_file_without_cards_is_refused() -> None:
    with pytest.raises(Invalid, match="no vCard"):
        vcards.cards(b"hello")


def test_a_line_that_goes_on_and_on_is_read_in_one_go() -> None:
    head = b"BEGIN:VCARD\nFN:Max\nNOTE;ENCODING=QUOTED-PRINTABLE:"
    [card] = vcards.cards(head + b"AAAA=\n" * 1_000_000 + b"\nEND:VCARD\n")
    assert len(card.values["note"]) == 4_000_000


def test_one_bad_card_spoils_no_other(admin_client: TestClient) -> None:
    good = "BEGIN:VCARD\nFN:Eva Good\nEND:VCARD\n"
    for line, why in (
        (f"ORG:{'x' * 301}", "too many"),
        ("N;CHARSET=undefined;ENCODING=QUOTED-PRINTABLE:M=FCller;Eva", None),
        ("EMAIL:a\0@b.example", None),
    ):
        content = f"BEGIN:VCARD\nFN:Udo Bad\n{line}\nEND:VCARD\n{good}".encode()
        taken = admin_client.post("/api/v1/contacts/vcards", content=content).json()
        assert len(taken["created"]) + len(taken["known"]) == (1 if why else 2)
        assert [str(why) in str(one) for one in taken["refused"]] == ([True] if why else [])


def test_a_name_that_ends_in_a_backslash_comes_back() -> None:
    [card] = vcards.cards(b"BEGIN:VCARD\nN:Back\\\\;Eva;;;\nEND:VCARD\n")
    assert (card.values["last_name"], card.values["first_name"]) == ("Back\\", "Eva")
    [card] = vcards.cards(b"BEGIN:VCARD\nN:Ende\\;Halb;Eva;;;\nEND:VCARD\n")
    assert (card.values["last_name"], card.values["first_name"]) == ("Ende;Halb", "Eva")


def test_more_cards_than_fit_are_refused_while_they_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vcards, "MOST_CARDS", 3)
    with pytest.raises(Invalid, match="More than 3 cards"):
        vcards.cards(b"BEGIN:VCARD\n" * 1_000_000)
