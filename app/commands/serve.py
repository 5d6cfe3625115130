"""`tsuzuri serve`: the API and the projector in one process, on the database of the installation."""

import signal
import sys
import threading
from typing import Annotated

import typer
import uvicorn

from tsuzuri.app.database import ready_database
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.projector import Projector
from tsuzuri.app.server import build_server
from tsuzuri.app.services import logins_of
from tsuzuri.app.settings import read_settings
from tsuzuri.eventlog.data_keys import KeyRing

app = typer.Typer()


@app.command()
def serve(
    projector: Annotated[bool, typer.Option(help="Run the projector in this process too.")] = True,
) -> None:
    """Serve the API. The embedded database lives and dies with this process."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # uvicorn drains, then raises the signal again
    settings = read_settings()
    with ready_database(settings) as dsn:
        server = build_server(settings, dsn)
        worker = Projector(logins_of(settings, dsn), KeyRing(key_encryption(settings)))
        thread = threading.Thread(target=worker.run, name="projector", daemon=True)
        if projector:
            thread.start()
        try:
            uvicorn.run(
                server,
                host=settings.host,
                port=settings.port,
                access_log=False,  # paths and query strings are not for a log about patients
                log_level="warning",
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=10,
            )
        finally:
            worker.stopping.set()
            if projector:
                thread.join(10)
