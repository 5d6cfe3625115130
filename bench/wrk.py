"""The driver: wrk, with one thread, that asks prepared bodies over and over. Debian has it as the package `wrk`."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("bodies.lua")


class WrkMissing(Exception):
    """Nothing can be measured without it."""


class AnswersWrong(Exception):
    """A server refused, failed, or answered something else: its speed means nothing."""


class NothingAnswered(AnswersWrong):
    """Not in the time that it had."""


@dataclass(frozen=True)
class Asked:
    """What one run saw. Times in seconds."""

    requests: int
    seconds: float
    bytes: int
    refused: int  # answers that were not 2xx
    broken: int  # connections that failed, and answers that did not come in time
    looked: int  # answers that were looked at
    wrong: int  # of those
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.requests / self.seconds


def wrk() -> str:
    """Raises WrkMissing."""
    if (found := shutil.which("wrk")) is None:
        raise WrkMissing("wrk is not installed: on Debian, apt-get install wrk")
    return found


def body_file(path: Path, authorization: str | None, bodies: Sequence[bytes]) -> Path:
    """Readable by its owner alone: it holds a token."""
    path.touch(mode=0o600)
    path.write_bytes(b"\n".join([(authorization or "-").encode(), *bodies]) + b"\n")
    return path


def command(url: str, file: Path, seconds: float, connections: int, marker: str | None = None) -> list[str]:
    """*marker*: look at each answer for this text; else at its status alone."""
    asked = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", str(SCRIPT)]
    return [wrk(), *asked, url, "--", str(file), *([marker] if marker else [])]


def ask_patiently(url: str, file: Path, seconds: float, connections: int, marker: str | None = None) -> Asked:
    """As `ask`; where no answer came in time, once more and for longer."""
    for longer in (1, 4):
        with suppress(NothingAnswered):
            return ask(url, file, seconds * longer, connections, marker)
    return ask(url, file, seconds * 16, connections, marker)


def ask(url: str, file: Path, seconds: float, connections: int, marker: str | None = None) -> Asked:
    """Raises AnswersWrong for any answer that is not 2xx, did not come, or lacks the marker; and WrkMissing."""
    run = subprocess.run(
        command(url, file, seconds, connections, marker), capture_output=True, text=True, timeout=seconds + 60
    )
    line = next((line for line in run.stdout.splitlines() if line.startswith("{")), None)
    if run.returncode != 0 or line is None:
        raise AnswersWrong(f"wrk ended with {run.returncode}: {run.stderr.strip() or run.stdout.strip()}")
    asked = Asked(**json.loads(line))
    if asked.requests == 0:
        raise NothingAnswered(f"{url} gave no answer in {seconds:g} s")
    if asked.refused or asked.broken or asked.wrong:
        raise AnswersWrong(
            f"{url}: of {asked.requests} answers {asked.refused} were refusals, {asked.wrong} of {asked.looked} that "
            f"were looked at were wrong, {asked.broken} connections broke"
        )
    return asked
