"""The people of the made-up company's customers: who they are, what they do there, what they have agreed to. Seeded."""

import random
from datetime import timedelta
from uuid import UUID, uuid5

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from server.accounts.classes import service as classes
from server.accounts.models import Account
from server.contacts.models import Channel, Consent, ConsentState, Contact, ContactAccount, How, Purpose
from server.demo.company import plain
from server.fields import trades
from server.kit import clock
from server.kit.settings import settings
from server.records.service import Actor, acting

SPACE = UUID("b0a7f1ce-0000-4000-8000-000000000028")
FIRST_NAMES = (
    "Eva Udo Maria Peter Anna Thomas Claudia Markus Sabine Daniel Petra Martin Monika Stefan Andrea Christian Silvia "
    "Michael Karin Roland Brigitte Patrik Ursula Norbert Doris Manuel Elena Luca Nadia Marco"
).split()
SURNAMES = (
    "Marxer Beck Büchel Frick Hasler Hilti Kaiser Kindle Matt Meier Nigg Ospelt Quaderer Ritter Risch Schädler Sele "
    "Vogt Wanger Wohlwend Zech Eberle Gassner Jehle Lampert Biedermann Batliner Gstöhl Heeb Konrad"
).split()
TITLES = {
    "decision_maker": ("Managing director", "Owner", "Head of operations"),
    "buyer": ("Head of purchasing", "Buyer", "Purchasing assistant"),
    "user": ("Shop manager", "Shift leader", "Sales"),
    "technician": ("Service technician", "Facility manager"),
    "accounting": ("Accountant",),
    "reception": ("Front office",),
}
LANGUAGES = (["de"], ["de", "en"], ["de", "fr"], ["en"], ["it", "de"])


def people(session: Session, seed: int = 28) -> int:
    """Give every account one to three people, with roles, addresses and two years of consent; gives how many.

    Also the fields, forms and values of the retail template, chains as parents, and a rule that suggests classes.
    """
    if session.scalar(select(Contact.id).limit(1)) is not None:
        return 0
    acting(session, Actor(user_id=None, source="demo"))
    trades.apply(session, trades.find("retail"))
    chance = random.Random(seed)
    accounts = session.scalars(select(Account).where(Account.deleted_at.is_(None)).order_by(Account.number)).all()
    rows: dict[type, list[dict[str, object]]] = {Contact: [], ContactAccount: [], Consent: []}
    for account in accounts:
        count = {"A": 3, "B": 2}.get(account.account_class or "C", 1)
        for place in range(count):
            one_person(chance, account, place, rows)
    for table, some in rows.items():
        session.execute(insert(table), some)
    own_values(session, chance, accounts)
    session.flush()
    suggest_classes(session)
    return len(rows[Contact])


def one_person(chance: random.Random, account: Account, place: int, rows: dict[type, list[dict[str, object]]]) -> None:
    """One person of an account, with a place there and what they said."""
    contact_id = uuid5(SPACE, f"{account.number}/{place}")
    first, last = chance.choice(FIRST_NAMES), chance.choice(SURNAMES)
    role = ("decision_maker", "buyer", "user")[place] if chance.random() < 0.8 else chance.choice(list(TITLES))
    firm = (account.email or "").rpartition("@")[2] or f"{(account.number or 'firm').lower()}.example"
    mail = f"{plain(first)}.{plain(last)}@{firm}"
    digits = f"{chance.randrange(200, 800)} {chance.randrange(10, 99)} {chance.randrange(10, 99)}"
    has_phone, refuses = chance.random() < 0.85, chance.random() < 0.03
    rows[Contact].append(
        {
            "id": contact_id,
            "first_name": first,
            "last_name": last,
            "prefix": "Dr." if chance.random() < 0.06 else None,
            "title": chance.choice(TITLES[role]),
            "languages": chance.choice(LANGUAGES),
            "mails": [{"label": "work", "value": mail}],
            "mail_addresses": [mail],
            "phones": [{"label": "work", "value": f"+423 {digits}"}] if has_phone else [],
            "phone_numbers": [f"+423{digits.replace(' ', '')}"] if has_phone else [],
            "do_not_contact": refuses,
            "do_not_contact_reason": "Asked on the phone not to be contacted." if refuses else None,
        }
    )
    since = clock.today(settings().zone) - timedelta(days=chance.randrange(60, 730))
    rows[ContactAccount].append(
        {
            "id": uuid5(SPACE, f"{contact_id}/place"),
            "contact_id": contact_id,
            "account_id": account.id,
            "roles": [role],
            "is_primary": place == 0,
            "since": since,
        }
    )
    for number, (channel, likely) in enumerate(((Channel.MAIL, 0.6), (Channel.PHONE, 0.35))):
        if chance.random() < likely:
            rows[Consent] += said(chance, contact_id, channel, number)


def said(chance: random.Random, contact_id: UUID, channel: Channel, number: int) -> list[dict[str, object]]:
    """An agreement some time in the last two years, now and then withdrawn since."""
    days = chance.randrange(5, 730)
    agreed: dict[str, object] = {
        "id": uuid5(SPACE, f"{contact_id}/{number}"),
        "contact_id": contact_id,
        "channel": channel.value,
        "purpose": Purpose.MARKETING.value,
        "state": ConsentState.GIVEN.value,
        "how": chance.choice((How.FORM, How.PAPER, How.CALL)).value,
        "at": clock.now() - timedelta(days=days),
        "wording": "I would like to hear about novelties and offers. I can take this back at any time.",
    }
    if chance.random() >= 0.12:
        return [agreed]
    back = {"id": uuid5(SPACE, f"{contact_id}/{number}/back"), "state": ConsentState.WITHDRAWN.value, "how": "link"}
    later = {"at": clock.now() - timedelta(days=chance.randrange(0, days)), "wording": None}
    return [agreed, {**agreed, **back, **later}]


def own_values(session: Session, chance: random.Random, accounts: object) -> None:
    """Loyalty points and shop formats, preferences, and some chains with their branches."""
    assert isinstance(accounts, list)
    for account in accounts:
        points = int(chance.lognormvariate({"A": 7.5, "B": 6.5}.get(account.account_class or "C", 5.2), 0.6))
        tier = "gold" if points > 1500 else "silver" if points > 500 else "bronze"
        shop = chance.choices(("kiosk", "convenience", "supermarket", "specialist"), (2, 3, 2, 4))[0]
        account.custom = {"loyalty_points": points, "loyalty_tier": tier, "shop_format": shop}
        if chance.random() < 0.4:
            account.preferred_days = sorted(chance.sample(["mo", "tu", "we", "th", "fr"], 2), key="motuwethfr".index)
            account.preferred_time = chance.choice(("morning", "midday", "afternoon"))
        account.preferred_channel = chance.choice((None, "visit", "phone", "mail"))
        account.language = chance.choices(("de", "en", "fr"), (8, 1, 1))[0]
        account.by_appointment = chance.random() < 0.1
    heads = [one for one in accounts if one.account_class == "A"][:8]
    rest = [one for one in accounts if one.account_class == "C"]
    for place, head in enumerate(heads):
        for branch in rest[place * 3 : place * 3 + 3]:
            branch.parent_id = head.id


def suggest_classes(session: Session) -> None:
    """Switch the rule of classes on, so that the first suggestions wait for the manager."""
    held = session.merge(classes.rule(session))
    held.is_on = True
    session.flush()
    classes.suggest(session)
