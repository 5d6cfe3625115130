"""The stage of the story: a folder of its own, commands, and a server that is asked over HTTP."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "from tsuzuri.app.cli import main; main()"]
READY_SECONDS = 60.0


class StoryBroken(Exception):
    """A step did not do what the story says it does."""


class Stage:
    """Runs `tsuzuri` commands in one home, and asks one server there."""

    def __init__(self, home: Path, port: int | None = None):
        self.home = home
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TSUZURI_")},
            **{
                name: os.environ[name]
                for name in ("TSUZURI_DATABASE", "TSUZURI_PG_BIN")
                if name in os.environ
            },
            "TSUZURI_HOME": str(home),
            "TSUZURI_MODE": "development",
            "TSUZURI_PORT": str(self.port),
        }
        if "TSUZURI_DATABASE" in os.environ:
            self.environment |= {
                name: os.environ[name]
                for name in os.environ
                if name.startswith("TSUZURI_") and name.endswith("_FILE")
            }
        self.server: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, show: bool = False, accept: tuple[int, ...] = (0,)) -> str:
        """The output of one command. Raises StoryBroken when it does not end with an accepted code."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=None if show else subprocess.PIPE,
            text=True,
            timeout=600,
        )
        if done.returncode not in accept:
            raise StoryBroken(
                f"tsuzuri {' '.join(arguments)} ended with {done.returncode}\n{done.stderr or ''}"
            )
        return done.stdout.strip()

    def start(self) -> None:
        """Start `tsuzuri serve` and wait until it is ready."""
        self.server = subprocess.Popen([*COMMAND, "serve"], env=self.environment)
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if self.server.poll() is not None:
                raise StoryBroken(f"tsuzuri serve ended with {self.server.returncode}")
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise StoryBroken(f"the server was not ready within {READY_SECONDS:.0f} seconds")

    def stop(self) -> None:
        if self.server is not None and self.server.poll() is None:
            self.server.terminate()
            self.server.wait(30)

    def token(self, role: str, person: str, *more: str) -> str:
        return self.run("token", "--role", role, "--person", person, *more)

    def ask(self, token: str, document: str, /, **variables: Any) -> dict[str, Any]:
        """The data of a query or mutation. Raises StoryBroken for an answer with errors."""
        body = json.dumps({"query": document, "variables": variables}).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/graphql", body, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                response: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as refused:
            raise StoryBroken(f"the server answered {refused.code}") from None
        if response.get("errors"):
            raise StoryBroken(f"the server answered: {response['errors'][0]['message']}")
        data: dict[str, Any] = response["data"]
        return data

    def wait_until_indexed(self, token: str) -> None:
        """Let the projectors catch up; an operator asks."""
        self._wait(token, lambda standing: not standing["lagEvents"])

    def wait_until_filled(self, token: str) -> None:
        """Let the projectors fill what is being rebuilt."""
        self._wait(token, lambda standing: (standing["rebuild"] or {}).get("state") != "FILLING")

    def _wait(self, token: str, done: Callable[[dict[str, Any]], bool]) -> None:
        for _ in range(600):
            standings = self.ask(token, "{ projections { lagEvents rebuild { state } } }")["projections"]
            if all(map(done, standings)):
                return
            time.sleep(0.1)
        raise StoryBroken("the projections did not catch up within a minute")


def document(name: str) -> str:
    """One of the GraphQL documents that come along."""
    return files("tsuzuri.app").joinpath("documents").joinpath(f"{name}.graphql").read_text("utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
