"""A server that listens over a database of its own, for one file of tests each; who checks tokens; the command."""

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from command_examples import Done, Tsuzuri
from edge_examples import CONDITIONS, GRANT, OTHER_NUMBER, RECORD, Json, Served, posting
from examples import HOSPITAL, NUMBER, a_bundle
from log_examples import LEAST_RULES, a_ring, copied_database, logins, settings_at
from token_examples import AUDIENCE, ISSUER, PUBLIC, Post
from tsuzuri.app.cli import main
from tsuzuri.app.commands.serve import Server
from tsuzuri.app.identity import Identity, identity_of
from tsuzuri.app.projector import Projector
from tsuzuri.app.server import build_server
from tsuzuri.app.settings import Settings
from tsuzuri.app.timed_connections import TimedConnection
from tsuzuri.domain.vocabulary import Role

DATABASE = "edge"


@pytest.fixture(scope="module")
def database(server_dsn: str, template: str) -> Iterator[str]:
    """One database for the file: what is refused leaves nothing behind."""
    with copied_database(server_dsn, template, DATABASE) as copy:
        yield copy


@pytest.fixture(scope="module")
def rules() -> dict[str, str]:
    """Settings about the rules of intake: the least, unless a file of tests has a fixture of this name."""
    return {}


@pytest.fixture(scope="module")
def served(
    database: str, rules: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    settings = settings_at(tmp_path_factory.mktemp("home"), **rules)
    api = build_server(settings, database)
    config = uvicorn.Config(api, http=TimedConnection, host="127.0.0.1", port=0, log_level="error")
    server = Server(config, api.state.closing)
    worker = Projector(logins(database), a_ring())
    threads = [threading.Thread(target=server.run), threading.Thread(target=worker.run)]
    for thread in threads:
        thread.start()
    while not server.started:
        assert threads[0].is_alive(), "the server did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        yield Served(settings, database, port, client)
    server.should_exit = True
    worker.stopping.set()
    for thread in threads:
        thread.join(20)


@pytest.fixture(scope="module")
def record(served: Served) -> Json:
    """Two patients with three conditions each, whom the hospital may see; and what it sees of the first."""
    for n, number in enumerate((NUMBER, OTHER_NUMBER)):
        bundle = a_bundle(number=number, local_id=f"record-{n}", conditions=CONDITIONS)
        assert served.send(bundle.replace(b'"P-1"', b'"P-%d"' % n), "/bundles").status_code == 201
        granted = served.client.post(
            "/graphql",
            headers=served.bearer(Role.SYSTEM, HOSPITAL),
            json={"query": GRANT, "variables": {"number": number, "facility": HOSPITAL}},
        )
        assert "errors" not in granted.json()
    deadline = time.monotonic() + 30
    while True:
        data = served.ask(Role.CLINICIAN, RECORD, number=NUMBER, first=1).json()["data"]
        found: Json = data["patientRecord"]
        if found["entries"]["nodes"]:
            return found
        assert time.monotonic() < deadline, "the projector did not catch up"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Development mode, with the keys of an issuer: as open as it gets while tokens come from outside."""
    folder = tmp_path_factory.mktemp("issuer")
    (folder / "jwks.json").write_text(json.dumps(PUBLIC))
    return settings_at(
        folder / "home",
        TSUZURI_JWKS_FILE=str(folder / "jwks.json"),
        TSUZURI_ISSUER=ISSUER,
        TSUZURI_AUDIENCE=AUDIENCE,
    )


@pytest.fixture(scope="module")
def identity(guarded: Settings) -> Identity:
    return identity_of(guarded)


@pytest.fixture(scope="module")
def post(guarded: Settings) -> Post:
    return posting(guarded)


@pytest.fixture
def tsuzuri(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Tsuzuri]:
    """The command, run in this process as its entry point runs it: *settings* are all the TSUZURI_ there are."""
    for name in os.environ:
        if name.startswith("TSUZURI_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TSUZURI_HOME", str(tmp_path / "home"))
    for name, value in LEAST_RULES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str | Path, **settings: str) -> Done:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["tsuzuri", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        code = ended.value.code
        assert code is None or isinstance(code, int)
        return Done(code or 0, out, err)

    yield run
