"""The worker: runs background jobs. As many as you like, on as many machines as you like, on one database."""

import asyncio
import importlib
import logging
import pkgutil

from procrastinate import JobContext, PsycopgConnector, exceptions
from sqlalchemy import make_url

import server
from server.jobs.service import queue
from server.kit.database import database_url

log = logging.getLogger("waymark.worker")


def load_jobs() -> None:
    """Import every room's jobs, so that their tasks are known."""
    for room in pkgutil.iter_modules(server.__path__):
        if room.ispkg and importlib.util.find_spec(f"server.{room.name}.jobs"):
            importlib.import_module(f"server.{room.name}.jobs")


@queue.periodic(cron="* * * * *")
@queue.task(name="jobs.retry_stalled", queue="default", pass_context=True, queueing_lock="jobs.retry_stalled")
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Give the jobs of workers that died to the living."""
    del timestamp
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs():
        log.warning("job %s of a worker that died is run again", job.id)
        try:
            await manager.retry_job(job)
        except exceptions.ConnectorException:
            log.exception("job %s could not be taken over", job.id)


def conninfo() -> str:
    """The database's address as libpq writes it."""
    return make_url(database_url()).set(drivername="postgresql").render_as_string(hide_password=False)


def run(*, concurrency: int = 1, wait: bool = True) -> None:
    """Run jobs until stopped; with `wait=False` until none is waiting."""
    load_jobs()
    connector = PsycopgConnector(conninfo=conninfo(), min_size=1, max_size=4)

    async def main() -> None:
        with queue.replace_connector(connector) as app:
            async with app.open_async():
                await app.run_worker_async(
                    concurrency=concurrency,
                    wait=wait,
                    fetch_job_polling_interval=2,
                    shutdown_graceful_timeout=20,
                    update_heartbeat_interval=5,
                    stalled_worker_timeout=30,
                    delete_jobs="successful",
                    install_signal_handlers=wait,
                )

    asyncio.run(main())
