"""Slices of servers that are asked over HTTP: how many answers, how soon, and what CPU they cost."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.cpu import postmaster, tree_seconds
from bench.reading_queries import Asking, Query
from bench.rounds import Measured, Slice
from bench.wrk import AnswersWrong, ask_patiently, body_file

CONNECTIONS = 16
_SIZE_LEAST = 0.6  # of a right answer's: an error is far shorter


@dataclass(frozen=True)
class Answered(Measured):
    """A slice of a server: its CPU is `client_cpu`, PostgreSQL's `server_cpu`. Times in seconds."""

    p50: float = 0.0
    p99: float = 0.0


def answering(
    asking: Asking,
    query: Query,
    folder: Path,
    *,
    connections: int = CONNECTIONS,
    warm_seconds: float = 1,
    after: Callable[[], None] = lambda: None,
) -> Slice:
    """First it is asked for *warm_seconds* with each answer looked at; *after* runs behind the clock.

    Raises AnswersWrong.
    """
    bodies = asking.bodies(query)
    size = asking.size(query, bodies[0])
    file = body_file(folder / f"{asking.served.pid} {query.name}", asking.authorization(query), bodies)
    server, database = asking.served.pid, postmaster(asking.installation.dsn)

    def run(seconds: float) -> Answered:
        ask_patiently(asking.served.url, file, warm_seconds, connections, query.marker)
        before = tree_seconds(server), tree_seconds(database)
        asked = ask_patiently(asking.served.url, file, seconds, connections)
        used = tree_seconds(server) - before[0], tree_seconds(database) - before[1]
        if asked.bytes < _SIZE_LEAST * size * asked.requests:
            raise AnswersWrong(f"{asking.served.name}, {query.name}: answers are shorter than right ones are")
        after()
        return Answered(
            asked.requests, 0.0, asked.seconds, (), used[0], used[1], p50=asked.p50, p99=asked.p99
        )

    return run
