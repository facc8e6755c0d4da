"""Forms on other people's pages: what they ask, and what keeps robots out without anybody else's help.

A page carries a sealed token. It counts once, not before some seconds and not after a day; a field that people do not
see must stay empty; one address sends only so much.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Forbidden, Invalid, NotFound, TooManyRequests
from server.kit.locks import one_at_a_time
from server.kit.secrets import WrongKey, seal, unseal
from server.leads.models import LeadSource
from server.leads.rule_models import LeadForm, LeadFormPost
from server.leads.taking import NewLead, Taken, take_in
from server.leads.values import utm_of

ASKABLE: Mapping[str, str] = {
    "company": "Company",
    "person": "Your name",
    "emails": "E-mail",
    "phones": "Phone",
    "website": "Website",
    "street": "Street and number",
    "postcode": "Postcode",
    "city": "Town",
    "country": "Country",
    "message": "Message",
}
"""What a form may ask for, by the lead's fields, and how the visitor reads it."""

TRAP = "fax_number"
"""A field that people do not see."""
LEAST = timedelta(seconds=3)
"""Nobody fills in a form faster."""
LONGEST = timedelta(hours=24)
PER_HOUR = 10
"""Posts of one address in an hour."""
KEPT = timedelta(days=90)


class FormClosed(NotFound):
    """There is no such form, or it is switched off."""

    code: ClassVar[str] = "no_such_form"


class CheckAndSend(Invalid):
    """The token is missing, too old or used up: look at the form once more and send it."""

    code: ClassVar[str] = "form_token"


class TooFast(Invalid):
    """A robot, or somebody very quick."""

    code: ClassVar[str] = "form_too_fast"


@dataclass(frozen=True)
class Sent:
    """What somebody sent with a form."""

    values: Mapping[str, Any]
    token: str
    agreed: bool = False
    trap: str = ""
    address: str = ""
    """Network address of the sender."""
    page: str | None = None
    """The page on which the form stood."""
    utm: Mapping[str, str] | None = None


def by_key(session: Session, key: str) -> LeadForm:
    """The form with this key. Refuses one that is switched off."""
    form = session.scalars(select(LeadForm).where(LeadForm.key == key, LeadForm.deleted_at.is_(None))).one_or_none()
    if form is None or not form.is_on:
        raise FormClosed("There is no such form.", help="Ask the company for the right address.")
    return form


def find(session: Session, form_id: UUID) -> LeadForm:
    """The form of that id."""
    form = session.get(LeadForm, form_id)
    if form is None or form.deleted_at is not None:
        raise NotFound("There is no such form.")
    return form


def all_forms(session: Session) -> Sequence[LeadForm]:
    """Every form, by name."""
    return session.scalars(select(LeadForm).where(LeadForm.deleted_at.is_(None)).order_by(LeadForm.name)).all()


def create(session: Session, wish: Mapping[str, Any]) -> LeadForm:
    """A new form with a key of its own."""
    form = LeadForm(key=secrets.token_urlsafe(12), **checked(wish))
    session.add(form)
    session.flush()
    session.refresh(form)
    return form


def change(session: Session, form_id: UUID, wish: Mapping[str, Any]) -> LeadForm:
    """Change what a form asks and says; its key stays."""
    form = find(session, form_id)
    for name, value in checked(wish).items():
        setattr(form, name, value)
    session.flush()
    session.refresh(form)
    return form


def remove(session: Session, form_id: UUID) -> None:
    """Take a form away; its leads stay."""
    form = find(session, form_id)
    form.is_on, form.deleted_at = False, clock.now()
    session.flush()


def checked(wish: Mapping[str, Any]) -> dict[str, Any]:
    """A form's values as they are stored. Refuses one that could not be answered."""
    for name, label in (("name", "Name"), ("title", "Title"), ("thanks", "Thanks")):
        if not str(wish.get(name) or "").strip():
            raise Invalid(f"{label}: is missing.", field=name)
    asked = [one for one in wish["fields"] if one["name"] in ASKABLE]
    names = [one["name"] for one in asked]
    if len(asked) != len(wish["fields"]) or len(set(names)) != len(names):
        raise Invalid("Fields: unknown or twice.", help="Known: " + ", ".join(ASKABLE) + ".", field="fields")
    if not {"company", "person"} & {one["name"] for one in asked if one["is_required"]}:
        raise Invalid("The form must require a company or a name.", help="Tick one of the two.", field="fields")
    if not {"emails", "phones"} & set(names):
        raise Invalid("The form asks for no way to answer.", help="Add e-mail or phone.", field="fields")
    return {
        "name": str(wish["name"]).strip(),
        "title": str(wish["title"]).strip(),
        "thanks": str(wish["thanks"]).strip(),
        "fields": [{"name": one["name"], "is_required": bool(one["is_required"])} for one in asked],
        "consent_text": str(wish.get("consent_text") or "").strip() or None,
        "campaign": str(wish.get("campaign") or "").strip() or None,
        "language": wish.get("language") or "en",
        "origins": [origin_of(one) for one in wish.get("origins") or ()],
        "is_on": bool(wish.get("is_on", True)),
    }


def origin_of(written: str) -> str:
    """A page's origin as browsers write it."""
    parts = urlsplit(written.strip() if "://" in written else f"https://{written.strip()}")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Invalid(f"“{written}” is no page.", help="Write it like https://example.com.", field="origins")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def may_ask(form: LeadForm, origin: str | None) -> bool:
    """Whether a page of this origin may use the form."""
    return origin is None or not form.origins or origin in form.origins


def token_of(form: LeadForm, now: datetime | None = None) -> str:
    """A sealed token: for this form, from this moment on, once."""
    at = int((now or clock.now()).timestamp())
    return seal(f"{form.id}:{at}:{secrets.token_urlsafe(9)}")


def opened(form: LeadForm, token: str, now: datetime) -> str:
    """The token's mark. Refuses one of another form, one that is too old, and one that is too fresh."""
    try:
        form_id, at, nonce = unseal(token).split(":")
        age = now - datetime.fromtimestamp(int(at), now.tzinfo)
    except (WrongKey, ValueError) as error:
        raise CheckAndSend("Please look at the form once more.", help="Then send it.") from error
    if form_id != str(form.id) or age > LONGEST:
        raise CheckAndSend("The form has been open for too long.", help="Look at it once more, then send it.")
    if age < LEAST:
        raise TooFast("That was very quick.", help="Wait some seconds, then send it again.")
    return nonce


def hashed(address: str) -> bytes:
    """A sender's address as it is kept: good for counting, for nothing else."""
    return hmac.new(b"waymark.lead_form", address.encode(), hashlib.sha256).digest()[:16]


def send(session: Session, form: LeadForm, sent: Sent) -> Taken | None:
    """Take in what a form brings; None for a robot, who is told thanks like everybody.

    Refuses, with nothing kept: a used or missing token, somebody who sends too much, what the form requires and is not
    there, a consent that is not given.
    """
    now, mark = clock.now(), hashed(sent.address)
    one_at_a_time(session, f"lead-form:{mark.hex()}")
    recent = session.scalar(
        select(func.count()).where(LeadFormPost.address == mark, LeadFormPost.at > now - timedelta(hours=1))
    )
    if (recent or 0) >= PER_HOUR:
        raise TooManyRequests("That is enough for now.", help="Try again in an hour, or call us.", after_s=3600)
    if sent.trap.strip():
        note(session, form, mark, "honeypot")
        return None
    nonce = opened(form, sent.token, now)
    if session.scalar(select(LeadFormPost.id).where(LeadFormPost.nonce == nonce)) is not None:
        raise CheckAndSend("This form was sent already.", help="Look at it once more, then send it.")
    values = asked(form, sent)
    if form.consent_text and not sent.agreed:
        raise Invalid("Your agreement is missing.", help="Tick the box, so that we may answer.", field="consent")
    taken = take_in(
        session,
        NewLead(
            {**values, "campaign": form.campaign, "referrer": sent.page, "utm": sent.utm or utm_of(sent.page)},
            LeadSource.FORM,
            form_id=form.id,
            consent_text=form.consent_text,
            consented_at=now if form.consent_text else None,
        ),
    )
    note(session, form, mark, "repeat" if taken.is_repeat else "taken", nonce=nonce, lead_id=taken.lead.id)
    return taken


def asked(form: LeadForm, sent: Sent) -> dict[str, Any]:
    """The answers to what the form asks; refuses a required one that is empty. Nothing else gets in."""
    values = {}
    for one in form.fields:
        value = sent.values.get(one["name"])
        if one["is_required"] and not str(value or "").strip():
            raise Invalid(f"{ASKABLE[one['name']]}: is missing.", help="Please fill it in.", field=one["name"])
        values[one["name"]] = value
    return values


def note(
    session: Session,
    form: LeadForm,
    address: bytes,
    outcome: str,
    *,
    nonce: str | None = None,
    lead_id: UUID | None = None,
) -> None:
    """Remember one try."""
    session.add(LeadFormPost(form_id=form.id, address=address, outcome=outcome, nonce=nonce, lead_id=lead_id))
    session.flush()


def need_origin(form: LeadForm, origin: str | None) -> None:
    """Refuse pages that the form is not for."""
    if not may_ask(form, origin):
        raise Forbidden(f"The form is not for {origin}.", help="Add that page to the form's pages.")


def counted(session: Session) -> dict[UUID, dict[str, int]]:
    """What became of the tries of the last 90 days, by form."""
    found: dict[UUID, dict[str, int]] = {}
    rows = select(LeadFormPost.form_id, LeadFormPost.outcome, func.count()).group_by(
        LeadFormPost.form_id, LeadFormPost.outcome
    )
    for form_id, outcome, count in session.execute(rows.where(LeadFormPost.at > clock.now() - KEPT)):
        found.setdefault(form_id, {})[outcome] = count
    return found


def forget(session: Session) -> None:
    """Forget old tries; their tokens are too old to count anyway."""
    session.execute(delete(LeadFormPost).where(LeadFormPost.at < clock.now() - KEPT))
