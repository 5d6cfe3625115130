"""`tsuzuri serve` as a process: what a kill leaves behind, and that an acknowledged Bundle outlives it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from edge_examples import EVENTS, events, progress_of
from examples import CLINIC, a_bundle
from log_examples import LEAST_RULES
from tsuzuri.app.settings import read_settings
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.vocabulary import Role

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="reads /proc; only Linux sends the death signal"
)

COMMAND = [sys.executable, "-c", "from tsuzuri.app.cli import main; main()", "serve"]
PROJECTORS = 2
GONE_SECONDS_MAX = 10.0  # after which what should have ended has not
READY_SECONDS = 60.0


def running(pid: int) -> bool:
    """A zombie has ended: only its parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> set[int]:
    parents: dict[int, int] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
    found: set[int] = set()
    young = {pid}
    while young := {child for child, parent in parents.items() if parent in young} - found:
        found |= young
    return found


def seconds_until_gone(pids: set[int], patience: float) -> float:
    """How long it took until none of them ran; more than *patience* when some still do."""
    began = time.monotonic()
    while any(running(pid) for pid in pids) and time.monotonic() < began + patience:
        time.sleep(0.01)
    return time.monotonic() - began if not any(running(pid) for pid in pids) else patience + 1


@dataclass
class Sender:
    """A facility's system that sends one Bundle after the other until the line goes dead."""

    client: httpx.Client
    acknowledged: dict[str, str] = field(default_factory=dict)  # local id → document
    sent: int = 0

    def post(self, local_id: str) -> httpx.Response:
        # Every patient has a number of her own, so the Bundles spread over the parts of the log.
        number = f"00012345:{local_id}:1:01"
        bundle = a_bundle(local_id=local_id, number=number).replace(b'"P-1"', f'"{local_id}"'.encode())
        return self.client.post("/bundles", content=bundle)

    def run(self) -> None:
        try:
            while True:
                self.sent += 1
                answer = self.post(str(self.sent))
                assert answer.status_code == 201, answer.text
                self.acknowledged[str(self.sent)] = answer.json()["document"]
        except httpx.TransportError:
            pass


@dataclass
class Installation:
    """A home, a port, and whoever serves there now."""

    home: Path
    port: int

    def environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("TSUZURI_")}
        if "TSUZURI_PG_BIN" in os.environ:
            own["TSUZURI_PG_BIN"] = os.environ["TSUZURI_PG_BIN"]
        return own | {
            "TSUZURI_HOME": str(self.home),
            "TSUZURI_MODE": "development",
            "TSUZURI_PORT": str(self.port),
            **LEAST_RULES,
            "TSUZURI_PROJECTORS": str(PROJECTORS),
        }

    def client(self, role: Role = Role.SYSTEM) -> httpx.Client:
        settings = read_settings(self.environment())
        facility = CLINIC if role is Role.SYSTEM else None
        token = development_token(settings, role=role, person="somebody", facility=facility)
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    @contextmanager
    def served(self) -> Iterator[subprocess.Popen[str]]:
        """`tsuzuri serve`, ready; killed at the end unless it has ended before."""
        with subprocess.Popen(COMMAND, env=self.environment(), stderr=subprocess.PIPE, text=True) as server:
            try:
                deadline = time.monotonic() + READY_SECONDS
                while not self._ready():
                    assert server.poll() is None, server.stderr and server.stderr.read()
                    assert time.monotonic() < deadline, "the server was not ready"
                    time.sleep(0.05)
                yield server
            finally:
                server.kill()

    def _ready(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/readyz", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def postmaster(self) -> int:
        return int((self.home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

    def projectors(self) -> set[int]:
        """The processes that share the parts of the log, once there are as many as were asked for."""
        with psycopg.connect((self.home / "postgres" / "dsn").read_text(), autocommit=True) as connection:
            deadline = time.monotonic() + READY_SECONDS
            while True:
                found = connection.execute(
                    "SELECT DISTINCT pid FROM projector JOIN projector_lease USING (process)"
                )
                if len(pids := {pid for (pid,) in found}) == PROJECTORS:
                    return pids
                assert time.monotonic() < deadline, pids
                time.sleep(0.05)

    def registered(self) -> int:
        """How many Bundles the log holds; and no position of any part is missing or taken twice."""
        with psycopg.connect((self.home / "postgres" / "dsn").read_text()) as connection:
            torn = connection.execute(
                "SELECT part FROM event RIGHT JOIN part_head h USING (part) "
                "GROUP BY part, h.pos HAVING count(event.pos) <> h.pos OR coalesce(max(event.pos), 0) <> h.pos"
            ).fetchall()
            assert torn == []
            row = connection.execute(
                "SELECT count(*) FROM event WHERE topic IN ('bundle-registered', 'bundle-replaced')"
            ).fetchone()
        assert row is not None
        count: int = row[0]
        return count


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Installation(tmp_path_factory.mktemp("served"), probe.getsockname()[1])


@dataclass(frozen=True)
class Killed:
    """What a server left behind that was killed while Bundles came in."""

    sent: int
    acknowledged: dict[str, str]
    projectors: set[int]
    family: set[int]
    server_seconds: float  # until neither it nor the database's postmaster ran
    family_seconds: float  # until none of its children and theirs did


@pytest.fixture(scope="module")
def killed(installation: Installation) -> Killed:
    with installation.served() as server, installation.client() as client:
        projectors = installation.projectors()
        sender = Sender(client)
        sending = threading.Thread(target=sender.run)
        sending.start()
        while len(sender.acknowledged) < 10:
            assert sending.is_alive() and server.poll() is None
            time.sleep(0.01)
        postmaster, family = installation.postmaster(), descendants(server.pid)
        assert postmaster in family and len(family) > 3

        server.kill()

        server_seconds = seconds_until_gone({server.pid, postmaster}, GONE_SECONDS_MAX)
        family_seconds = seconds_until_gone(family, GONE_SECONDS_MAX)
        sending.join(30)
        assert not sending.is_alive()
        return Killed(sender.sent, sender.acknowledged, projectors, family, server_seconds, family_seconds)


@pytest.fixture(scope="module")
def restarted(installation: Installation, killed: Killed) -> Iterator[subprocess.Popen[str]]:
    with installation.served() as server:
        yield server


def test_killed_it_takes_its_database_with_it(killed: Killed) -> None:
    assert killed.server_seconds <= GONE_SECONDS_MAX  # a tenth of a second on an idle machine


def test_killed_it_leaves_no_process_behind(killed: Killed) -> None:
    assert killed.family_seconds <= GONE_SECONDS_MAX


def test_so_many_projectors_ran_beside_it_and_have_ended_with_it(killed: Killed) -> None:
    assert len(killed.projectors) == PROJECTORS
    assert killed.projectors < killed.family
    assert not any(running(pid) for pid in killed.projectors)


def test_the_next_start_is_clean_and_has_every_bundle_that_was_acknowledged_once(
    installation: Installation, killed: Killed, restarted: subprocess.Popen[str]
) -> None:
    with installation.client() as client:
        sender = Sender(client)
        answers = {local_id: sender.post(local_id).json() for local_id in killed.acknowledged}
        in_doubt = sender.post(str(killed.sent)).json()

    assert {answer["outcome"] for answer in answers.values()} == {"UNCHANGED"}
    assert {local_id: answer["document"] for local_id, answer in answers.items()} == killed.acknowledged
    assert in_doubt["outcome"] in ("REGISTERED", "UNCHANGED")  # nobody had been told which
    assert installation.registered() == len(killed.acknowledged) + 1


def test_asked_to_end_it_answers_what_has_begun_and_leaves_nothing_running(
    installation: Installation, restarted: subprocess.Popen[str]
) -> None:
    takes_a_while = a_bundle(local_id="large", conditions={str(n): "上腹部痛" for n in range(4_500)})
    with (
        installation.client() as client,
        installation.client(Role.OPERATOR) as operator,
        operator.stream("POST", "/graphql", headers=EVENTS, json=progress_of("record_index")) as watched,
    ):
        told = events(watched.iter_lines())
        assert next(told)[0] == "next"
        family = descendants(restarted.pid)
        answers: list[int] = []
        asked = threading.Thread(
            target=lambda: answers.append(client.post("/bundles", content=takes_a_while).status_code)
        )
        asked.start()
        time.sleep(0.2)
        assert answers == []  # it has begun, and is not done

        restarted.send_signal(signal.SIGTERM)

        restarted.wait(READY_SECONDS)
        asked.join(READY_SECONDS)
        assert answers == [201]
        *_, (_, last), end = told
        assert (last["errors"][0]["extensions"], end) == ({"code": "SERVER_ENDING"}, ("complete", None))
        assert seconds_until_gone(family, GONE_SECONDS_MAX) <= GONE_SECONDS_MAX
