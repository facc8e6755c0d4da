"""Admins set up mail, targets and webhooks; states and failures are read on the page; secrets never."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.jobs import outgoing
from server.mail.models import MailServer, Message
from server.plans.exporting.target_models import ExportDelivery, Target
from server.webhooks import service as webhooks
from server.webhooks.models import Delivery, Endpoint
from tests.server.web.conftest import PAGE, token_in

type Browsers = Callable[[User], TestClient]
type MakeUser = Callable[..., User]

PATHS = ("/integrations", "/integrations/mail", "/integrations/webhooks", "/integrations/targets/new?kind=sftp")


@pytest.mark.parametrize("path", PATHS)
def test_strangers_are_sent_to_sign_in(client_for: Callable[[User | None], TestClient], path: str) -> None:
    assert client_for(None).get(path, headers=PAGE).status_code == 303


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("role", [Role.MANAGER, Role.REP])
def test_only_admins_integrate(browser_of: Browsers, make_user: MakeUser, role: Role, path: str) -> None:
    assert browser_of(make_user("maria", role)).get(path).status_code == 403


@pytest.fixture
def admin(browser_of: Browsers, make_user: MakeUser) -> TestClient:
    return browser_of(make_user("ada", email="ada@example.com"))


def send(admin: TestClient, path: str, on: str = "/integrations/mail", **data: Any) -> Any:
    return admin.post(path, data={"_csrf": token_in(admin.get(on).text), **data})


SERVER = {
    "host": "mail.example.com", "port": "465", "security": "tls", "username": "plans", "password": "open sesame",
    "sender": "plans@example.com", "sender_name": "Plans",
}  # fmt: skip


def test_the_mail_server_is_set_up_and_its_password_never_comes_back(admin: TestClient, session: Session) -> None:
    assert send(admin, "/integrations/mail", **SERVER).status_code == 303
    page = admin.get("/integrations/mail").text
    assert "sesame" not in page
    assert "One is stored." in page
    send(admin, "/integrations/mail", **{**SERVER, "password": "", "sender_name": "Plan office"})
    server = session.get_one(MailServer, 1)
    assert (server.sender_name, server.password is not None) == ("Plan office", True)


def test_a_setting_that_cannot_be_is_shown_beside_its_field(admin: TestClient, session: Session) -> None:
    answer = send(admin, "/integrations/mail", **{**SERVER, "sender": "plans", "port": "0"})
    assert answer.status_code == 422
    assert "A port is a number from 1 to 65535." in answer.text
    assert session.get(MailServer, 1) is None


def test_a_test_mail_stands_in_the_outbox_and_what_failed_can_be_sent_again(
    admin: TestClient, session: Session
) -> None:
    assert "No mail server is set up" in send(admin, "/integrations/mail/test", to="ada@example.com").text
    send(admin, "/integrations/mail", **SERVER)
    assert send(admin, "/integrations/mail/test", to="ada@example.com").status_code == 303
    (message,) = session.scalars(select(Message)).all()
    outgoing.is_failed(message, "mail.example.com answers 550 go away.")
    session.flush()
    assert "answers 550 go away." in admin.get("/integrations/mail").text
    assert send(admin, f"/integrations/mail/{message.id}/again").status_code == 303
    session.refresh(message)
    assert message.state == "waiting"


def test_a_target_is_added_changed_and_removed(admin: TestClient, session: Session, tmp_path: Path) -> None:
    on = "/integrations/targets/new?kind=folder"
    values = {
        "kind": "folder",
        "name": "Drive",
        "folder": "/no/such",
        "formats": ["ics"],
        "covers": "both",
        "active": "1",
    }
    refused = send(admin, "/integrations/targets/new", on, **values)
    assert refused.status_code == 422
    assert "There is no folder /no/such on the server." in refused.text
    assert 'value="Drive"' in refused.text
    send(admin, "/integrations/targets/new", on, **{**values, "folder": str(tmp_path), "hour": "20"})
    (target,) = session.scalars(select(Target)).all()
    assert (target.hour, target.formats, target.active) == (20, ["ics"], True)
    page = admin.get("/integrations").text
    assert "at 20:00" in page
    path = f"/integrations/targets/{target.id}"
    send(admin, path, path, **{**values, "folder": str(tmp_path), "formats": ["ics", "pdf"], "active": ""})
    session.refresh(target)
    assert (target.formats, target.hour) == (["ics", "pdf"], None)
    send(admin, f"{path}/remove", path)
    assert admin.get(path).status_code == 404


def test_a_target_without_a_format_says_so(admin: TestClient) -> None:
    on = "/integrations/targets/new?kind=mail"
    answer = send(admin, "/integrations/targets/new", on, kind="mail", name="Reps", to_rep="1", covers="both")
    assert answer.status_code == 422
    assert "No format is chosen." in answer.text


def test_a_delivery_is_read_in_words_and_sent_again(
    admin: TestClient, session: Session, make_user: MakeUser, tmp_path: Path
) -> None:
    rita = make_user("rita", Role.REP)
    target = Target(name="Drive", kind="folder", formats=["ics"], covers="both", config={"folder": str(tmp_path)})
    delivery = ExportDelivery(target=target, rep_id=rita.id, login="rita", span="2026-11-24", revision="r")
    session.add_all([target, delivery])
    session.flush()
    outgoing.is_failed(delivery, "There is no folder /mnt/drive.")
    session.flush()
    page = admin.get("/integrations").text
    assert "There is no folder /mnt/drive." in page
    assert "not sent" in page
    assert send(admin, f"/integrations/deliveries/{delivery.id}/again", "/integrations").status_code == 303
    session.refresh(delivery)
    assert delivery.state == "waiting"


def test_a_server_that_does_not_answer_keeps_the_target_and_says_why(admin: TestClient, session: Session) -> None:
    on = "/integrations/targets/new?kind=sftp"
    values = {
        "kind": "sftp",
        "name": "Archive",
        "host": "127.0.0.1",
        "port": "1",
        "username": "plans",
        "secret": "sesame",
    }
    answer = send(admin, "/integrations/targets/new", on, **values, formats=["pdf"], covers="both", active="1")
    assert answer.status_code == 409
    assert "127.0.0.1:1 does not answer as an SFTP server" in answer.text
    assert session.scalars(select(Target.name)).all() == ["Archive"]
    assert "sesame" not in answer.text + admin.get("/integrations").text


def test_a_webhook_shows_its_secret_once_and_its_log_with_replay(admin: TestClient, session: Session) -> None:
    on = "/integrations/webhooks"
    wrong = send(admin, on, on, name="Warehouse", url="warehouse", types=["plan_export"])
    assert "is not an address to post to" in wrong.text
    made = send(admin, on, on, name="Warehouse", url="https://example.com/hook", types=["plan_export"])
    secret = re.findall(r"whsec_[\w-]+", made.text)
    assert len(secret) == 1
    assert secret[0] not in admin.get(on).text
    shown = admin.get(on).text
    assert shown.index('id="sent"') < shown.index('id="add"'), "the log stands before the form with its many boxes"
    (delivery,) = webhooks.announce(session, "plan_export", "2026-11-24/rita", "abc")
    outgoing.is_failed(delivery, "The other side answers 500.")
    delivery.log = [{"at": "2026-01-05T10:20:30+00:00", "status": 500, "trouble": "The other side answers 500."}]
    session.flush()
    shown = admin.get(on).text
    assert "The other side answers 500." in shown
    assert "2026-01-05T10" not in shown
    assert "Mon 5 Jan" in shown, "tries are told in the reader's time, as all else is"
    assert send(admin, f"{on}/deliveries/{delivery.id}/replay", on).status_code == 303
    assert session.get_one(Delivery, delivery.id).state == "waiting"
    endpoint = session.scalars(select(Endpoint)).one()
    send(admin, f"{on}/{endpoint.id}/switch", on, active="false")
    session.refresh(endpoint)
    assert endpoint.active is False
    send(admin, f"{on}/{endpoint.id}/remove", on)
    assert "Warehouse</strong>" not in admin.get(on).text


@pytest.mark.browser
def test_mail_a_target_and_a_webhook_are_set_up_in_a_browser(page: Any, tmp_path: Path) -> None:
    page.goto("/integrations/mail")
    page.fill("#f-host", "127.0.0.1")
    page.select_option("#f-security", "none")
    page.fill("#f-port", "1")
    page.fill("#f-sender", "plans@example.com")
    page.click("text=Save")
    page.wait_for_url("**/integrations/mail?saved=1")
    page.fill("#f-to", "ada@example.com")
    page.click("text=Send test mail")
    page.wait_for_selector("#outbox >> text=ada@example.com")
    page.click("nav.tabs >> text=Files of plans")
    page.click("a:has-text('Folder')")
    page.fill("#f-name", "Drive of the office")
    page.fill("#f-folder", str(tmp_path))
    page.click("text=Save")
    page.wait_for_selector("text=Drive of the office")
    page.click("nav.tabs >> text=Webhooks")
    page.fill("#f-name", "Warehouse")
    page.fill("#f-url", "https://warehouse.example.com/hook")
    page.click("button:has-text('Add webhook')")
    page.wait_for_selector("code.secret")
    for width, height in ((1440, 900), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for path in (
            "/integrations",
            "/integrations/mail",
            "/integrations/webhooks",
            "/integrations/targets/new?kind=sftp",
        ):
            page.goto(path)
            name = path.strip("/").split("?")[0].replace("/", "-")
            page.screenshot(path=tmp_path / f"{name}-{width}.png", full_page=True)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than {width}"
