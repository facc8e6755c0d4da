"""What people can be told of, and how by default."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from server.notifications.models import Channel


@dataclass(frozen=True)
class Kind:
    """A kind of thing that people are told."""

    label: str
    channel: Channel
    """How somebody is told who has not chosen."""


KINDS: Mapping[str, Kind] = {
    "mention": Kind("Somebody mentions you", Channel.MAIL),
    "handover": Kind("Accounts are handed over to you or by you", Channel.MAIL),
    "leaver": Kind("One of your people is switched off and has open work", Channel.MAIL),
    "note": Kind("A note at an account that you follow", Channel.DIGEST),
    "edit": Kind("Something important of an account that you follow changes", Channel.DIGEST),
    "stage": Kind("A deal that you follow moves on, is won or lost", Channel.DIGEST),
    "lead": Kind("A lead is assigned to you", Channel.MAIL),
    "ticket": Kind("A ticket at an account that you follow", Channel.DIGEST),
    "ticket_given": Kind("A ticket is given to you, or its customer answers", Channel.APP),
    "ticket_clock": Kind("A target of your ticket, or your team's, is near or missed", Channel.APP),
    "order": Kind("A quote or an order at an account that you follow", Channel.DIGEST),
    "task": Kind("A task is given to you", Channel.MAIL),
    "reminder": Kind("A reminder that you have set", Channel.APP),
    "territory": Kind("A change of territories that you set for a day could not be done", Channel.MAIL),
    "moving": Kind("Territories that you work will change on a day to come", Channel.MAIL),
    "challenge": Kind(
        "Somebody contests the territory of an account, or what you contested is decided", Channel.DIGEST
    ),
    "mail": Kind("A customer writes to you", Channel.APP),
}
"""Everything that can be told of; the room that tells names the kind."""


@dataclass(frozen=True)
class About:
    """The row that something is about."""

    entity: str
    row_id: UUID
