"""A form that arrives without its fields, or with others, is refused in words and breaks nothing.

The harm: a browser extension emptied a form, a program sent a page what it knew from another page; both got an error
page that named nothing, and an alarm woke somebody.
"""

import re

from fastapi.routing import APIRoute
from sqlalchemy.orm import Session

from server.auth.models import User
from tests.application import routes
from tests.architecture.world import PARAMETERS, ClientFor, Ids, address, ask, people, session, world

__all__ = ["ask", "people", "session", "world"]

IDS = (
    "account_id user_id id owner_id form_id rep queue_id link_id choice_id rate_id opportunity_id seen deal"
    " calendar_id answer_id field_id type_id stage_id move_to site_id remove event_id visit_id visit_type_id"
).split()
WORDS = "ids lead kind state reason span period day at due_on rev role source amount hour starts ends which do".split()
BODIES: tuple[dict[str, str], ...] = (
    {"nobody-knows": "1", "name": "", "lines-0-x": "y"},
    dict.fromkeys((*IDS, *WORDS), "none of these"),
)
"""A form with others in place of its fields, and with values that none of them can have."""
KNOWN = PARAMETERS | {"user_id": "people"}


def forms() -> list[APIRoute]:
    """Every page that takes a form."""
    programs = ("/api/", "/sync/", "/att/")
    return [route for route in routes() if "POST" in route.methods and not route.path.startswith(programs)]


def test_no_form_breaks_without_its_fields(
    session: Session, people: dict[str, User], world: Ids, ask: ClientFor
) -> None:
    ada = ask(people["ada"])
    of = world | {"people": {"east": str(people["rita"].id)}}
    broken = []
    for route in forms():
        known = {name: of[KNOWN[name]]["east"] for name in re.findall(r"\{(\w+)", route.path) if name in KNOWN}
        for body in BODIES:
            savepoint = session.begin_nested()
            answer = ada.post(address(route, **known), data=body, headers={"accept": "text/html"})
            if savepoint.is_active:
                savepoint.rollback()
            session.expire_all()
            if answer.status_code >= 500:
                broken.append(f"{route.path} {list(body)[:1]}")
    assert len(forms()) > 100
    assert not broken, "\n".join(broken)
