"""Background jobs: procrastinate in the same PostgreSQL; a job is deferred in the transaction that asks for it."""

from server.jobs.service import defer, is_anybody_working, task

__all__ = ["defer", "is_anybody_working", "task"]
