"""The rules of saved views: what a list or a map shows, under a name."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Invalid, NotFound
from server.segments import queries, service
from server.segments.models import SavedView
from server.segments.schemas import ViewWrite


def save(session: Session, scope: Scope, wanted: ViewWrite) -> SavedView:
    """Save a view of a list or of the map; one's own of the same name is replaced. Refuses a filter that is wrong."""
    scope.need(queries.subject_of(wanted.subject).permission)
    name = " ".join(wanted.name.split())
    if not name:
        raise Invalid("The view needs a name.", field="name")
    filter = wanted.filter.strip() if wanted.filter else None
    if filter:
        filter = service.canonical(session, scope, wanted.subject, filter)
    session.get(User, scope.user_id, with_for_update={"key_share": True})  # saved twice at once is one view
    view = session.scalars(
        select(SavedView).where(
            SavedView.deleted_at.is_(None),
            SavedView.subject == wanted.subject,
            SavedView.owner_id == scope.user_id,
            SavedView.name == name,
            SavedView.map.is_(None) if wanted.map is None else SavedView.map.is_not(None),
        )
    ).first()
    if view is None:
        view = SavedView(subject=wanted.subject, name=name, owner_id=scope.user_id, columns=wanted.columns)
        session.add(view)
    view.map = wanted.map
    view.filter, view.sort, view.columns, view.sharing = filter, wanted.sort, wanted.columns, wanted.sharing.value
    session.flush()
    return view


def delete(session: Session, scope: Scope, view_id: UUID) -> SavedView:
    """Take one's own view away; says which it was."""
    view = session.get(SavedView, view_id)
    if view is None or view.deleted_at is not None or view.owner_id != scope.user_id:
        raise NotFound("There is no such view of yours.")
    view.deleted_at = clock.now()
    return view
