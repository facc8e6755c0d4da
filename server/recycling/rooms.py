"""What the bin shows of leads, orders and activities, and how the catalogue comes back."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity
from server.auth.access import Scope
from server.contacts import queries as contacts
from server.contacts.models import Contact
from server.kit import clock
from server.kit.errors import NotFound
from server.leads import queries as leads
from server.leads.models import Lead
from server.orders.models import Order
from server.products import service as products
from server.products.models import Product
from server.records.binned import binned
from server.records.joining import UNDO
from server.records.models import RecordMerge


def leads_gone(scope: Scope) -> Select[Any]:
    """Deleted leads that the person may bring back."""
    title = func.coalesce(Lead.company, Lead.person, Lead.number)
    columns = binned(entity="lead", id=Lead.id, title=title, deleted_at=Lead.deleted_at, account_id=Lead.account_id)
    gone = Lead.deleted_at.is_not(None), Lead.merged_into.is_(None)
    return select(*columns).where(*gone, leads.within_reach(scope, "leads:write"))


def merged_leads(scope: Scope) -> Select[Any]:
    """Leads that went into another and that the person may still take apart."""
    winner, loser = aliased(Lead), aliased(Lead)
    title = func.concat(func.coalesce(loser.company, loser.person), " → ", func.coalesce(winner.company, winner.person))
    reach = leads.visible_to(scope, "leads:write").with_only_columns(Lead.id).order_by(None)
    return merged("lead", winner, loser, title).where(winner.id.in_(reach))


def merged_contacts(scope: Scope) -> Select[Any]:
    """Contacts that went into another and that the person may still take apart."""
    winner, loser = aliased(Contact), aliased(Contact)
    gone, there = (func.concat_ws(" ", one.first_name, one.last_name) for one in (loser, winner))
    reach = contacts.visible_to(scope, "contacts:write").with_only_columns(Contact.id).order_by(None)
    title = func.concat(gone, " → ", there)
    return merged("contact", winner, loser, title).where(winner.id.in_(reach))


def merged_products(scope: Scope) -> Select[Any]:
    """Products that went into another and that the person may still take apart."""
    winner, loser = aliased(Product), aliased(Product)
    title = func.concat(loser.number, " ", loser.name, " → ", winner.number, " ", winner.name)
    return merged("product", winner, loser, title).where(literal(scope.may("products:write")))


def merged(entity: str, winner: Any, loser: Any, title: Any) -> Select[Any]:
    """Merges of a kind that are not too old to be undone."""
    columns = binned(entity=f"{entity}_merge", id=RecordMerge.id, title=title, deleted_at=RecordMerge.merged_at)
    return (
        select(*columns)
        .select_from(RecordMerge)
        .join(winner, winner.id == RecordMerge.winner_id)
        .join(loser, loser.id == RecordMerge.loser_id)
        .where(
            RecordMerge.entity == entity,
            RecordMerge.undone_at.is_(None),
            RecordMerge.merged_at > clock.now() - UNDO,
        )
    )


def reached(scope: Scope, permission: str) -> Select[Any]:
    """The accounts that a permission reaches."""
    return accounts.visible_to(scope, permission).with_only_columns(Account.id).order_by(None)


def orders_gone(scope: Scope) -> Select[Any]:
    """Drafts of quotes and orders that were thrown away and that the person may bring back."""
    title = func.coalesce(Order.number, Order.reference, Order.note, Order.kind)
    columns = binned(entity="order", id=Order.id, title=title, deleted_at=Order.deleted_at, account_id=Order.account_id)
    mine = or_(accounts.reached_through(Order.account_id, scope, "orders:write"), Order.owner_id == scope.user_id)
    return select(*columns).where(Order.deleted_at.is_not(None), mine)


def activities_gone(scope: Scope) -> Select[Any]:
    """Deleted calls, meetings and tasks: one's own, and those at accounts where the person writes."""
    columns = binned(
        entity="activity",
        id=Activity.id,
        title=Activity.subject,
        deleted_at=Activity.deleted_at,
        account_id=Activity.account_id,
    )
    there = accounts.reached_through(Activity.__table__.c.account_id, scope, "activities:write")
    mine = or_(Activity.owner_id == scope.user_id, there & ~Activity.is_private)
    return select(*columns).where(Activity.deleted_at.is_not(None), mine)


def restore_activity(session: Session, scope: Scope, activity_id: UUID) -> None:
    """Bring a call, meeting or task back. Refuses one that is not in the person's bin."""
    shown = activities_gone(scope).subquery()
    statement = select(Activity).where(Activity.id == activity_id, Activity.id.in_(select(shown.c.id)))
    row = session.scalars(statement.with_for_update()).one_or_none()
    if row is None:
        raise NotFound("There is no such activity.", id=str(activity_id))
    agenda.bring_back(session, row)


def restore_product(session: Session, scope: Scope, product_id: UUID) -> None:
    """Bring a product back; the catalogue belongs to all who write it."""
    scope.need("products:write")
    products.restore(session, product_id)


def restore_list(session: Session, scope: Scope, list_id: UUID) -> None:
    """Bring a price list back with its prices."""
    scope.need("products:write")
    products.restore_list(session, list_id)
