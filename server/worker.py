"""The worker: runs background jobs. As many as you like, on as many machines as you like, on one database."""

import asyncio
import importlib
import logging
import pkgutil
import signal

from procrastinate import JobContext, PsycopgConnector, exceptions
from procrastinate.jobs import Status
from psycopg_pool import PoolTimeout
from sqlalchemy import make_url

import server
from server.jobs.service import queue
from server.kit import embedded, filtering
from server.kit.database import database_url
from server.kit.settings import settings
from server.segments.catalogue import CATALOGUE

log = logging.getLogger("waymark.worker")
DEATHS = 5
"""A job that so many workers died of is run no more."""
AGAIN_S = 3
"""Seconds after which a lost database is asked for again."""


def load_jobs() -> None:
    """Import every room's jobs, so that their tasks are known; also those of a room inside a room."""
    for module in pkgutil.walk_packages(server.__path__, "server."):
        if module.name.endswith(".jobs") and not module.ispkg:
            importlib.import_module(module.name)


@queue.periodic(cron="* * * * *")
@queue.task(name="jobs.retry_stalled", queue="default", pass_context=True, queueing_lock="jobs.retry_stalled")
async def retry_stalled(context: JobContext, timestamp: int) -> None:
    """Give the jobs of workers that died to the living, but not for ever."""
    del timestamp
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs():
        try:
            if job.attempts >= DEATHS - 1:
                log.error("job %s (%s) is given up: %s workers died of it", job.id, job.task_name, DEATHS)
                await manager.finish_job(job, status=Status.FAILED, delete_job=False)
                continue
            log.warning("job %s of a worker that died is run again", job.id)
            await manager.retry_job(job)
        except exceptions.ConnectorException:
            log.exception("job %s could not be taken over", job.id)


def conninfo() -> str:
    """The database's address as libpq writes it."""
    return make_url(database_url()).set(drivername="postgresql").render_as_string(hide_password=False)


def run(*, concurrency: int = 1, wait: bool = True) -> None:
    """Run jobs until stopped, through restarts of the database; with `wait=False` until none is waiting."""
    load_jobs()
    filtering.use(CATALOGUE)
    asyncio.run(stay(concurrency) if wait else work(conninfo(), concurrency, wait=False))


async def work(address: str, concurrency: int, *, wait: bool) -> None:
    """Run jobs on one connection to the database, as long as it holds."""
    connector = PsycopgConnector(conninfo=address, min_size=1, max_size=4)
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
                install_signal_handlers=False,
            )


async def stay(concurrency: int) -> None:
    """Run jobs until a signal; a worker that lost the database asks for it again and goes on."""
    address, stopping = conninfo(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    told = asyncio.create_task(stopping.wait())
    while not stopping.is_set():
        working = asyncio.create_task(work(address, concurrency, wait=True))
        await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
        working.cancel()
        try:
            await working
        except asyncio.CancelledError:
            return
        except (exceptions.ConnectorException, PoolTimeout) as error:
            log.warning("the database does not answer: %s", error.__cause__ or error)
        await asyncio.wait({told}, timeout=AGAIN_S)
        if settings().database_url is None:
            await asyncio.to_thread(embedded.revive, settings().home)
