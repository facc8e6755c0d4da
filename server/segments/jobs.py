"""Background work of segments: all are counted every night, each in a transaction of its own."""

from uuid import UUID

from server.jobs import defer, task
from server.jobs.service import queue
from server.kit.database import transaction
from server.segments import counting


@queue.periodic(cron="20 1 * * *")
@task("segments.night")
def night(timestamp: int) -> None:
    """Have every segment counted."""
    del timestamp
    with transaction() as session:
        for segment_id in counting.living(session):
            defer(session, count_segment, segment_id=str(segment_id))


@task("segments.count")
def count_segment(segment_id: str) -> None:
    """Count one segment. Running twice counts once."""
    with transaction() as session:
        counting.count_one(session, UUID(segment_id))
