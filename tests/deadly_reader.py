"""Reads Bundles, and does what the first word of one says. A module of its own, which a worker process can import."""

import os
import re
import time
from dataclasses import replace
from pathlib import Path

from tsuzuri.domain.fhir.bundle import read_bundle
from tsuzuri.domain.record import Reading

KILLER, GREEDY, ENDLESS, FAULTY = b"dies", b"takes all memory", b"never ends", b"fails of"
KILLED_ONCE = b"is killed once, and leaves a file: "
HOLDING = b"holds memory, then: "
_HELD: list[bytes] = []


def read_or_die(received: bytes) -> Reading:
    """A Bundle as ever; its document is named after the process that read it."""
    if received == KILLER:
        time.sleep(0.2)  # long enough for others to be under way
        os._exit(1)
    if received == GREEDY:
        _HELD.extend(bytes(8 * 1024 * 1024) for _ in range(10_000))
    if received == ENDLESS:
        re.match("(a+)+b", "a" * 80)  # one call, which no signal handler of Python's would interrupt
    if received.startswith(FAULTY):
        raise KeyError(received.decode())
    if received.startswith(KILLED_ONCE):
        file, received = received.removeprefix(KILLED_ONCE).split(b"\n", 1)
        if not Path(os.fsdecode(file)).exists():
            Path(os.fsdecode(file)).touch()
            os._exit(1)
    if received.startswith(HOLDING):
        received = received.removeprefix(HOLDING)
        _HELD.append(b"\1" * 160 * 1024 * 1024)
    reading = read_bundle(received)
    return replace(reading, document=replace(reading.document, title=f"process {os.getpid()}"))
