"""The rules of saved views: what a list or a map shows, under a name."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import User
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.records.editing import require_revision
from server.segments import queries, service
from server.segments.models import SavedView
from server.segments.schemas import ViewWrite


def save(session: Session, scope: Scope, wanted: ViewWrite, base_rev: int | None = None) -> SavedView:
    """Save a view of a list or of the map; one's own of the same name is replaced.

    Refuses a filter that is wrong, and with a base revision to replace what was changed or taken away since.
    """
    scope.need(queries.subject_of(wanted.subject).permission)
    name = " ".join(wanted.name.split())
    if not name:
        raise Invalid("The view needs a name.", field="name")
    filter = wanted.filter.strip() if wanted.filter else None
    if filter:
        filter = service.canonical(session, scope, wanted.subject, filter)
    view = named(session, scope, wanted.subject, name, of_map=wanted.map is not None)
    if base_rev is not None:
        if view is None:
            raise NotFound("There is no such view of yours.", help="It was taken away: save it anew, without If-Match.")
        session.refresh(view, with_for_update=True)
        require_revision(view.name, view.id, view.rev, base_rev)
    if view is None:
        view = SavedView(subject=wanted.subject, name=name, owner_id=scope.user_id, columns=wanted.columns)
        session.add(view)
    view.map = wanted.map
    view.filter, view.sort, view.columns, view.sharing = filter, wanted.sort, wanted.columns, wanted.sharing.value
    session.flush()
    session.refresh(view)
    return view


def delete(session: Session, scope: Scope, view_id: UUID) -> None:
    """Take one's own view away."""
    own(session, scope, view_id, is_deleted=False).deleted_at = clock.now()


def restore(session: Session, scope: Scope, view_id: UUID) -> SavedView:
    """Bring one's own view back. Refuses when another one has its name by now."""
    view = own(session, scope, view_id, is_deleted=True)
    if named(session, scope, view.subject, view.name, of_map=view.map is not None) is not None:
        raise Conflict(f"You have another view “{view.name}” by now.", help="Take that one away first.")
    view.deleted_at = None
    session.flush()
    return view


def own(session: Session, scope: Scope, view_id: UUID, *, is_deleted: bool) -> SavedView:
    """One's own view, locked."""
    view = session.get(SavedView, view_id, with_for_update=True)
    if view is None or (view.deleted_at is not None) != is_deleted or view.owner_id != scope.user_id:
        raise NotFound("There is no such view of yours.")
    return view


def named(session: Session, scope: Scope, subject: str, name: str, *, of_map: bool) -> SavedView | None:
    """One's own view of a name, of a list or of the map; here to the end of the transaction nobody else makes one."""
    session.get(User, scope.user_id, with_for_update={"key_share": True})
    return session.scalars(
        select(SavedView).where(
            SavedView.deleted_at.is_(None),
            SavedView.subject == subject,
            SavedView.owner_id == scope.user_id,
            SavedView.name == name,
            SavedView.map.is_not(None) if of_map else SavedView.map.is_(None),
        )
    ).first()
