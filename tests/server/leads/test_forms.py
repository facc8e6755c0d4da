"""Forms on other people's pages: people get in once, robots get a thank-you and nothing else."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Invalid, TooManyRequests
from server.leads import forms
from server.leads.forms import CheckAndSend, Sent, TooFast
from server.leads.models import Lead
from server.leads.rule_models import LeadFormPost
from tests.server.at_once import overlapping

WISH = {
    "name": "Website",
    "title": "Talk to us",
    "fields": [
        {"name": "company", "is_required": True},
        {"name": "emails", "is_required": True},
        {"name": "message", "is_required": False},
    ],
    "consent_text": "You may answer me by e-mail.",
    "thanks": "Thank you, we call you.",
    "campaign": "spring",
    "origins": ["https://shop.example"],
}
ANSWERS = {"company": "Beck AG", "emails": "eva@beck.li", "message": "Two ovens"}


@pytest.fixture
def form(session: Any) -> Any:
    return forms.create(session, WISH)


def ripe(form: Any) -> str:
    """A token that somebody has looked at for a minute."""
    return forms.token_of(form, clock.now() - timedelta(minutes=1))


def sent(form: Any, **more: Any) -> Sent:
    values = {"values": ANSWERS, "token": ripe(form), "agreed": True, "address": "192.0.2.7"}
    return Sent(**(values | more))


def leads(session: Any) -> int:
    return session.scalar(select(func.count()).select_from(Lead))


def test_only_managers_make_forms(client_for: Any, make_user: Any) -> None:
    from server.auth.models import Role

    rep = client_for(make_user("rita", Role.REP))
    assert rep.get("/api/v1/lead-forms").status_code == 403
    assert client_for(make_user("mia", Role.MANAGER)).post("/api/v1/lead-forms", json=WISH).status_code == 201


def test_an_answer_becomes_a_lead_with_where_it_came_from_and_what_was_agreed(session: Any, form: Any) -> None:
    page = "https://shop.example/ovens?utm_source=ads&utm_campaign=ovens&other=1"
    lead = forms.send(session, form, sent(form, page=page)).lead
    assert (lead.source, lead.campaign, lead.referrer) == ("form", "spring", page)
    assert lead.utm == {"utm_source": "ads", "utm_campaign": "ovens"}
    assert (lead.consent_text, lead.consented_at is not None) == ("You may answer me by e-mail.", True)


def test_a_token_counts_once_not_at_once_and_not_for_ever(session: Any, form: Any) -> None:
    token = ripe(form)
    forms.send(session, form, sent(form, token=token))
    with pytest.raises(CheckAndSend, match="sent already"):
        forms.send(session, form, sent(form, token=token))
    with pytest.raises(TooFast):
        forms.send(session, form, sent(form, token=forms.token_of(form)))
    with pytest.raises(CheckAndSend, match="too long"):
        forms.send(session, form, sent(form, token=forms.token_of(form, clock.now() - timedelta(hours=25))))
    with pytest.raises(CheckAndSend):
        forms.send(session, form, sent(form, token="made-up"))
    other = forms.create(session, WISH)
    with pytest.raises(CheckAndSend):
        forms.send(session, form, sent(form, token=ripe(other)))
    assert leads(session) == 1


def test_a_robot_that_fills_in_everything_leaves_nothing(session: Any, form: Any) -> None:
    assert forms.send(session, form, sent(form, trap="12345")) is None
    assert leads(session) == 0
    assert forms.counted(session)[form.id] == {"honeypot": 1}


def test_one_address_sends_only_so_much(session: Any, form: Any) -> None:
    for k in range(forms.PER_HOUR):
        forms.send(session, form, sent(form, values=ANSWERS | {"company": f"Firm {k}", "emails": f"a@f{k}.li"}))
    with pytest.raises(TooManyRequests):
        forms.send(session, form, sent(form))
    forms.send(session, form, sent(form, address="192.0.2.8"))


def test_what_is_required_must_be_there_and_nothing_else_gets_in(session: Any, form: Any) -> None:
    with pytest.raises(Invalid, match="E-mail"):
        forms.send(session, form, sent(form, values={"company": "Beck AG"}))
    with pytest.raises(Invalid, match="agreement"):
        forms.send(session, form, sent(form, agreed=False))
    lead = forms.send(session, form, sent(form, values=ANSWERS | {"note": "x", "owner_id": "y"})).lead
    assert (lead.note, lead.owner_id) == (None, None)


def test_a_repeat_is_counted_as_one_more_signal(session: Any, form: Any) -> None:
    first = forms.send(session, form, sent(form))
    again = forms.send(session, form, sent(form))
    assert (again.is_repeat, again.lead.id) == (True, first.lead.id)
    assert forms.counted(session)[form.id] == {"taken": 1, "repeat": 1}


def test_the_json_door_answers_only_the_pages_of_the_form(client_for: Any, form: Any) -> None:
    client, path = client_for(None), f"/api/v1/lead-intake/{form.key}"
    good, bad = {"origin": "https://shop.example"}, {"origin": "https://evil.example"}
    assert client.options(path, headers=good).headers["access-control-allow-origin"] == "https://shop.example"
    assert client.options(path, headers=bad).status_code == 403
    asked = client.get(path, headers=good).json()
    assert [one["name"] for one in asked["fields"]] == ["company", "emails", "message"]
    fast = client.post(path, json={"values": ANSWERS, "token": asked["token"], "agreed": True}, headers=good)
    assert (fast.status_code, fast.json()["code"]) == (422, "form_too_fast")
    answer = client.post(path, json={"values": ANSWERS, "token": ripe(form), "agreed": True}, headers=good)
    assert (answer.status_code, answer.json()) == (201, {"thanks": "Thank you, we call you."})
    assert client.get("/api/v1/lead-intake/nothing").status_code == 404


def test_a_form_without_a_way_to_answer_is_refused(session: Any) -> None:
    for fields, wrong in (
        ([{"name": "company", "is_required": True}], "no way to answer"),
        ([{"name": "emails", "is_required": True}], "require a company"),
        ([{"name": "password", "is_required": True}], "unknown"),
    ):
        with pytest.raises(Invalid, match=wrong):
            forms.create(session, WISH | {"fields": fields})


def test_old_tries_are_forgotten(session: Any, form: Any) -> None:
    forms.send(session, form, sent(form))
    session.execute(LeadFormPost.__table__.update().values(at=clock.now() - timedelta(days=91)))
    forms.forget(session)
    assert forms.counted(session) == {}


def test_a_double_click_is_one_lead_and_the_second_is_told(empty_database: Any) -> None:
    with transaction() as session:
        form = forms.create(session, WISH)
        both = sent(form)
    came = overlapping(
        lambda session: forms.send(session, forms.find(session, form.id), both),
        lambda session: forms.send(session, forms.find(session, form.id), both),
    )
    assert isinstance(came, CheckAndSend)
    with transaction() as session:
        assert leads(session) == 1


def test_one_address_that_sends_all_at_once_sends_no_more(empty_database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "PER_HOUR", 1)
    with transaction() as session:
        form = forms.create(session, WISH)
        one, other = sent(form), sent(form)
    came = overlapping(
        lambda session: forms.send(session, forms.find(session, form.id), one),
        lambda session: forms.send(session, forms.find(session, form.id), other),
    )
    assert isinstance(came, TooManyRequests)
