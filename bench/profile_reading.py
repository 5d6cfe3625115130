"""Our server over a small installation, up until Ctrl-C, for whoever profiles it: `python -m bench.profile_reading Q1`.

--data FOLDER keeps the installation, so that the next time it is there at once; --entries N, how large it is;
--unguarded, without consent and audit. It prints the address, a token and the command that asks.
"""

import argparse
import shlex
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path

from bench.reading_data import reading_server
from bench.reading_queries import QUERIES, Asking
from bench.reading_rows import Scale
from bench.reading_servers import ours
from bench.server import REAL_DISK
from bench.wrk import body_file, command


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m bench.profile_reading", description=__doc__)
    asked.add_argument("query", choices=QUERIES)
    asked.add_argument("--data", type=Path, help="where the installation lies, or is to lie")
    asked.add_argument("--entries", type=int, default=50_000)
    asked.add_argument("--unguarded", action="store_true")
    given = asked.parse_args()
    query = QUERIES[given.query]
    with ExitStack() as stack:
        folder = given.data or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="tsuzuri-bench-", dir=REAL_DISK))
        )
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # the server may run under another account: see embedded_account
        installation = stack.enter_context(reading_server(folder))(Scale(given.entries))
        served = stack.enter_context(ours(installation, *(["--unguarded"] if given.unguarded else [])))
        asking = Asking(installation, served)
        bodies = asking.bodies(query)
        asking.answer(query, bodies[0])
        file = body_file(folder / f"{query.file}.bodies", asking.authorization(query), bodies)
        print(f"server, process {served.pid}: {served.url}")
        print(f"{asking.authorization(query)}")
        print(f"database reading_{given.entries}: the address in {folder / 'postgres' / 'dsn'}")
        print(shlex.join(command(served.url, file, 10, 16)), flush=True)
        with suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    main()
