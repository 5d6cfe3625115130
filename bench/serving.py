"""Our server in a process of its own, as `tsuzuri serve` serves it: `python -m bench.serving`.

It prints its port when it answers, and ends when its standard input does.
"""

import os
import socket
import sys
import threading
from contextlib import nullcontext

import uvicorn

from bench.unguarded import unguarded
from tsuzuri.app.commands.serve import Server, processes
from tsuzuri.app.logs import configure_logs
from tsuzuri.app.projector_beside import project_on_and_on
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import read_settings


class _Told(Server):
    """Says on which port it listens, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


def main() -> None:
    configure_logs()
    settings = read_settings()  # without a database: the keys are those of the home
    dsn = os.environ["TSUZURI_BENCH_DATABASE"]
    beside = [project_on_and_on] if "--projecting" in sys.argv[1:] else []
    with (
        unguarded() if "--unguarded" in sys.argv[1:] else nullcontext(),
        processes(settings, dsn, beside),
    ):
        api = build_server(settings, dsn)
        config = uvicorn.Config(
            api,
            host="127.0.0.1",
            port=0,
            access_log=False,
            log_level="warning",
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=2,
        )
        server = _Told(config, api.state.closing)
        threading.Thread(target=_until_input_ends, args=(server,), daemon=True).start()
        server.run()


def _until_input_ends(server: Server) -> None:
    sys.stdin.read()
    server.should_exit = True


if __name__ == "__main__":
    main()
