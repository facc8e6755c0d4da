"""The rules of targets: where exports go, which reps' and formats, and when; trusting a server's key."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.export.tour import Span
from routing.export.types import MEDIA_TYPES
from server.auth.models import Role, Team, TeamMember, User
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.outside import checked_address
from server.kit.secrets import seal, unseal
from server.kit.settings import settings
from server.mail.service import address
from server.plans.exporting import places
from server.plans.exporting.sending import NotDelivered
from server.plans.exporting.target_models import Target
from server.plans.exporting.target_schemas import TargetWrite

FORMATS = tuple(ending for ending in MEDIA_TYPES if ending != "json")
KINDS: Mapping[str, str] = {"mail": "Mail", "folder": "Folder", "sftp": "SFTP"}


class NoKey(Conflict):
    """A server's key cannot be had."""

    code = "no_host_key"


def add(session: Session, wish: TargetWrite) -> Target:
    """Send exports somewhere from now on. Refuses what cannot be a target, and names the field."""
    target = Target(kind=wish.kind)
    _fill(session, target, wish)
    session.add(target)
    session.flush()
    return target


def change(session: Session, target_id: UUID, wish: TargetWrite) -> Target:
    """Change a target; its kind stays. A password that is left empty stays, unless it would go to another server."""
    target = find(session, target_id)
    if wish.kind != target.kind:
        raise Invalid("The kind of a target stays.", help="Add another target.", field="kind")
    _fill(session, target, wish)
    session.flush()
    return target


def find(session: Session, target_id: UUID) -> Target:
    """A target; refuses an unknown or removed one."""
    target = session.get(Target, target_id)
    if target is None or target.deleted_at is not None:
        raise NotFound("There is no such target.")
    return target


def remove(session: Session, target_id: UUID) -> None:
    """Send nothing there any more; what was sent stays in the log."""
    target = find(session, target_id)
    target.active, target.deleted_at, target.secret = False, clock.now(), None
    session.flush()


def all_targets(session: Session) -> Sequence[Target]:
    """All targets, by name."""
    return session.scalars(select(Target).where(Target.deleted_at.is_(None)).order_by(Target.name, Target.id)).all()


def wanting(session: Session, span: Span, rep_id: UUID) -> list[Target]:
    """The targets that get the files of a rep's days."""
    teams = set(session.scalars(select(TeamMember.team_id).where(TeamMember.user_id == rep_id)))
    kind = "day" if span.count == 1 else "week"
    active = select(Target).where(Target.active, Target.deleted_at.is_(None), Target.covers.in_((kind, "both")))
    return [
        target
        for target in session.scalars(active.order_by(Target.id))
        if not (target.rep_ids or target.team_ids) or rep_id in target.rep_ids or teams & set(target.team_ids)
    ]


def offered_key(session: Session, target_id: UUID) -> Target:
    """Ask a server for its key, for somebody to compare; nothing is trusted by that."""
    from server.plans.exporting import sftp

    target = _sftp(session, target_id)
    try:
        offered = sftp.host_key_of(target.config["host"], target.config["port"])
    except NotDelivered as error:
        raise NoKey(str(error), help="Check name and port, and that it can be reached from here.") from error
    target.config = {**target.config, "offered_key": offered}
    session.flush()
    return target


def trust(session: Session, target_id: UUID, fingerprint: str) -> Target:
    """Trust the key that a server offered and somebody has compared. Refuses any other fingerprint."""
    target = _sftp(session, target_id)
    offered = target.config.get("offered_key", "")
    if not offered or places.fingerprint(offered) != fingerprint:
        raise Conflict("The server has offered another key since.", help="Compare the fingerprint again.")
    target.config = {**target.config, "host_key": offered, "offered_key": ""}
    session.flush()
    return target


def place_of(target: Target) -> places.Place:
    """Where an SFTP target's files go, with its secret, for use."""
    names = ("host", "port", "username", "folder", "host_key")
    return places.Place(**{name: target.config[name] for name in names}, secret=unseal(target.secret or ""))


def _sftp(session: Session, target_id: UUID) -> Target:
    target = find(session, target_id)
    if target.kind != "sftp":
        raise Invalid("Only SFTP servers have a key.")
    return target


def _fill(session: Session, target: Target, wish: TargetWrite) -> None:
    if not wish.name.strip():
        raise Invalid("The target needs a name.", field="name")
    unknown = set(wish.formats) - set(FORMATS)
    if unknown or not wish.formats:
        raise Invalid("No format is chosen.", help=f"There are: {', '.join(FORMATS)}.", field="formats")
    _known_people(session, wish)
    before = target.config or {}
    target.config = _CONFIGS[target.kind](wish, before)
    target.name, target.active, target.covers, target.hour = wish.name.strip(), wish.active, wish.covers, wish.hour
    target.rep_ids, target.team_ids, target.formats = wish.rep_ids, wish.team_ids, list(wish.formats)
    if target.kind == "sftp":
        _secret(target, wish, before)


def _known_people(session: Session, wish: TargetWrite) -> None:
    reps = select(User.id).where(User.id.in_(wish.rep_ids), User.role == Role.REP)
    teams = select(Team.id).where(Team.id.in_(wish.team_ids), Team.deleted_at.is_(None))
    if len(session.scalars(reps).all()) != len(set(wish.rep_ids)):
        raise Invalid("One of the reps does not exist.", field="rep_ids")
    if len(session.scalars(teams).all()) != len(set(wish.team_ids)):
        raise Invalid("One of the teams does not exist.", field="team_ids")


def _secret(target: Target, wish: TargetWrite, before: Mapping[str, Any]) -> None:
    if wish.secret:
        if wish.secret.lstrip().startswith("-----BEGIN"):
            from server.plans.exporting import sftp

            try:
                sftp.private_key(wish.secret)
            except NotDelivered as error:
                raise Invalid(str(error), field="secret") from error
        target.secret = seal(wish.secret)
    elif target.secret is None or any(before.get(name) != target.config[name] for name in ("host", "port", "username")):
        raise Invalid(
            "The password or private key is missing.", help="It is entered anew for another server.", field="secret"
        )


def _mail_config(wish: TargetWrite, _before: Mapping[str, Any]) -> dict[str, Any]:
    copies = [address(one, "copies") for one in wish.copies]
    if not (wish.to_rep or copies):
        raise Invalid("The mail goes to nobody.", help="Send it to the rep, or enter an address.", field="copies")
    return {"to_rep": wish.to_rep, "copies": copies}


def _folder_config(wish: TargetWrite, _before: Mapping[str, Any]) -> dict[str, Any]:
    folder = Path(wish.folder.strip())
    if not folder.is_absolute() or ".." in folder.parts:
        raise Invalid("The folder must be written from the root on.", help="For example: /srv/plans", field="folder")
    try:
        is_there = folder.is_dir()
    except OSError:  # a name that no folder can have
        is_there = False
    if not is_there:
        raise Invalid(f"There is no folder {folder} on the server.", help="Make it first.", field="folder")
    if folder.resolve().is_relative_to(settings().home.resolve()):
        raise Invalid(f"{folder} belongs to Waymark itself.", help="Choose a folder elsewhere.", field="folder")
    return {"folder": str(folder)}


def _sftp_config(wish: TargetWrite, before: Mapping[str, Any]) -> dict[str, Any]:
    host = wish.host.strip()
    if not host or any(c.isspace() or c in "/@" for c in host):
        raise Invalid(
            "The server's name is missing or cannot be one.", help="For example: files.example.com", field="host"
        )
    checked_address(host, wish.port)
    if not wish.username.strip():
        raise Invalid("The user name is missing.", field="username")
    is_same = (before.get("host"), before.get("port")) == (host, wish.port)
    return {
        "host": host,
        "port": wish.port,
        "username": wish.username.strip(),
        "folder": wish.folder.strip(),
        "host_key": before.get("host_key", "") if is_same else "",
        "offered_key": before.get("offered_key", "") if is_same else "",
    }


_CONFIGS = {"mail": _mail_config, "folder": _folder_config, "sftp": _sftp_config}
