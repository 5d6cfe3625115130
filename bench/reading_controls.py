"""What the harness must notice, tried each time before anything is believed: wrong answers, refusals, a slow server."""

import asyncio
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from bench.answers import AnswersDiffer, check_equal
from bench.rounds import Measured, Report, Slice, faster, interleaved
from bench.wrk import AnswersWrong, ask, body_file

RIGHT = b'{"data":{"patientRecord":{"entries":{"edges":[],"pageInfo":{"hasNextPage":false}}}}}'
FAILED = b'{"data":null,"errors":[{"message":"hasNextPage"}]}'
_SLOW_SECONDS = 0.05


class ControlFailed(Exception):
    """The harness would not have noticed: none of its figures mean anything."""


@contextmanager
def canned(body: bytes, status: int = 200, seconds: float = 0.0) -> Iterator[str]:
    """A server that answers everything with the same, after a while."""
    answer = f"HTTP/1.1 {status} .\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    started, ended = threading.Event(), asyncio.Event()
    port, loop = 0, asyncio.new_event_loop()

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length: ")[2].split(b"\r\n")[0]))
                await asyncio.sleep(seconds)
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.close()

    async def serve() -> None:
        nonlocal port
        server = await asyncio.start_server(answered, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        started.set()
        await ended.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started.wait()
    try:
        yield f"http://127.0.0.1:{port}/graphql"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()


def check_controls(folder: Path, answer: Any) -> None:
    """*answer*: a real one, with rows. Raises ControlFailed."""
    _differences_are_seen(answer)
    file = body_file(folder / "controls", None, [b"{}"])
    for body, status in ((FAILED, 200), (RIGHT, 401), (b'{"data":{}}', 200)):
        with canned(body, status) as url:
            _must_raise(AnswersWrong, lambda url=url: ask(url, file, 1, 4, "hasNextPage"))
    with canned(RIGHT) as quick, canned(RIGHT, seconds=_SLOW_SECONDS) as slow:
        rounds = interleaved({"ours": _asked(slow, file), "peer": _asked(quick, file)}, rounds=1, forgotten=0)
    report = Report()
    with redirect_stdout(io.StringIO()):
        report.claim("a slow server", rounds, faster("ours", "peer"), at_least=1.0, beside={})
    if not report.failed:
        raise ControlFailed("a server that waits before each answer passed the bar")


def _differences_are_seen(answer: Any) -> None:
    rows = answer["patientRecord"]["entries"]["edges"]

    def with_rows(other: list[Any]) -> Any:
        return {"patientRecord": {"entries": {**answer["patientRecord"]["entries"], "edges": other}}}

    for other in (
        rows[:-1],
        [rows[1], rows[0], *rows[2:]],
        [{"node": {**rows[0]["node"], "facility": None}}, *rows[1:]],
        [{"node": {**rows[0]["node"], "name": rows[0]["node"]["name"] + " "}}, *rows[1:]],
    ):
        _must_raise(AnswersDiffer, lambda other=other: check_equal(answer, with_rows(other), "a control"))


def _asked(url: str, file: Path) -> Slice:
    def run(seconds: float) -> Measured:
        asked = ask(url, file, seconds, 4)
        return Measured(asked.requests, 0.0, asked.seconds)

    return run


def _must_raise(error: type[Exception], act: Any) -> None:
    try:
        act()
    except error:
        return
    raise ControlFailed(f"{error.__name__} was not raised")
