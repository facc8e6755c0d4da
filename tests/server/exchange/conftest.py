"""The same small company as the accounts', and a file's way through its import."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.server.accounts.conftest import ada, admin_client, east, make_account, otto, rita, scope, west

__all__ = ["ada", "admin_client", "east", "make_account", "otto", "rita", "scope", "west"]

type Run = dict[str, Any]


class Files:
    """Imports of one kind by somebody."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def check(self, kind: str, content: str, **more: Any) -> Run:
        """Upload and dry run with the guessed columns."""
        sent = self.client.post("/api/v1/imports", files={"file": ("list.csv", content.encode())}, data={"kind": kind})
        assert sent.status_code == 201, sent.text
        run = sent.json()
        known = {"key": run["options"]["key"], "mapping": run["mapping"]}
        checked = self.client.post(f"/api/v1/imports/{run['id']}/mapping", json=known | more)
        assert checked.status_code == 200, checked.text
        return dict(checked.json())

    def apply(self, kind: str, content: str, **more: Any) -> Run:
        """Dry run, then all of it."""
        run = self.check(kind, content, **more)
        done = self.client.post(f"/api/v1/imports/{run['id']}/apply")
        assert done.json()["state"] == "done", done.text
        return dict(done.json())

    def undo(self, run: Run) -> Run:
        """Take it back."""
        undone = self.client.post(f"/api/v1/imports/{run['id']}/undo")
        assert undone.json()["state"] == "undone", undone.text
        return dict(undone.json()["undo_counts"])

    def problems(self, run: Run) -> Mapping[int, str]:
        """What is said of each row."""
        rows = self.client.get(f"/api/v1/imports/{run['id']}/rows?problems=true").json()["items"]
        return {row["row_no"]: " ".join(problem["message"] for problem in row["problems"]) for row in rows}


def counts(run: Run) -> dict[str, int]:
    """What becomes of how many rows."""
    return {name: n for name, n in run["counts"].items() if n}


@pytest.fixture
def files(admin_client: TestClient) -> Files:
    """Imports by an admin."""
    return Files(admin_client)


@pytest.fixture
def files_of(client_for: Callable[..., TestClient]) -> Callable[..., Files]:
    """Imports by somebody."""
    return lambda user: Files(client_for(user))
