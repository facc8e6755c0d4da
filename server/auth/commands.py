"""`waymark user`: people, from the command line."""

from typing import Annotated

import typer

from server.auth.models import Role
from server.auth.queries import user_by_login
from server.auth.service import change_user, create_user
from server.kit.database import transaction
from server.kit.errors import NotFound
from server.records.service import Actor, acting

users = typer.Typer(no_args_is_help=True, help="People who can sign in.")


@users.command()
def add(
    login: Annotated[str, typer.Argument(help="What they sign in with.")],
    name: Annotated[str, typer.Option(help="Full name.")],
    role: Annotated[Role, typer.Option(help="What they do.")] = Role.ADMIN,
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="At least ten characters.")
    ] = "",
) -> None:
    """Let somebody in. The first admin of a new installation is made this way."""
    with transaction() as session:
        acting(session, Actor(user_id=None, source="cli"))
        user = create_user(session, login=login, name=name, role=role, password=password)
        typer.echo(f"{user.login} can sign in as {user.role}.")


@users.command()
def password(
    login: Annotated[str, typer.Argument(help="Whose password.")],
    new: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="At least ten characters.")
    ] = "",
) -> None:
    """Set a new password; the person is signed out everywhere."""
    with transaction() as session:
        acting(session, Actor(user_id=None, source="cli"))
        user = user_by_login(session, login)
        if user is None:
            raise NotFound(f"There is no login “{login}”.")
        change_user(session, user.id, {"password": new}, user.id)
        typer.echo(f"The password of {user.login} is set.")
