"""The real application with one more route: the floor, an indexed single-row select over HTTP."""

from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import text

from server import app
from server.auth.access import public
from server.kit.database import Db


def create_app() -> FastAPI:
    """The application and the floor."""
    made = app.served()

    @made.get("/floor/{account_id}", dependencies=[public("the benchmark's floor")])
    def floor(account_id: UUID, session: Db) -> dict[str, str]:
        """What any request must cost at least."""
        found = session.execute(text("select name from account where id = :id"), {"id": account_id}).scalar_one()
        return {"name": found}

    return made
