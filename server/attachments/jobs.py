"""Background work of attachments: the small picture of what came without one."""

from uuid import UUID

from server.attachments.models import AttachedFile
from server.files.jobs import draw
from server.jobs import task
from server.kit.database import transaction


@task("attachments.show_small")
def show_small(attachment_id: str) -> None:
    """Draw the small picture of a photo and say where it is, so that phones can show it. Twice is once."""
    with transaction() as session:
        attachment = session.get(AttachedFile, UUID(attachment_id), with_for_update=True)
        if attachment is None or attachment.file_id is None or attachment.thumbnail_sha256 is not None:
            return
        attachment.thumbnail_sha256 = draw(session, attachment.file_id)
