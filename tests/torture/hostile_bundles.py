"""Ten thousand hostile Bundles, read as intake reads them, under two policies; what is accepted is rendered too.

Each must come to a Reading or a rejection, tell nothing of what it held, and keep its worker's memory bounded. How long
a refusal takes beyond parsing the same bytes is told against its bar, and is no fault: machines differ.
"""

import asyncio
import json
import os
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import orjson

from torture.harness import Outcome, Torture
from torture.hostile import CANARIES, hostile_bundle
from tsuzuri.app.bundle_reader import GIVEN_UP, TOO_LONG, BundleReader
from tsuzuri.app.reading_worker import TOO_MUCH_MEMORY, Limits, Read
from tsuzuri.domain.fhir.bundle import BundleRejected, read_bundle
from tsuzuri.domain.fhir.received_document import open_document
from tsuzuri.domain.record import Reading
from tsuzuri.domain.rendering.document import Marks, Shown, render
from tsuzuri.domain.rendering.sections import in_clinical_order
from tsuzuri.domain.rules.policies import policy_named
from tsuzuri.domain.vocabulary import DOCUMENT_CLASSES, DocumentKind

BUNDLES, SEED = 10_000, int(os.environ.get("TSUZURI_SEED", "5"))
WORKER, WORKERS = Limits(1024 * 1024 * 1024), os.cpu_count() or 1
BAR_MS = 200
_AT_ONCE = 64
_NOON = datetime(2026, 11, 20, 3, tzinfo=UTC)
_TAG = re.compile(r"<[^>]*>?")
_PLAIN = re.compile(
    r'</?(?!script|style|img|svg|iframe)[a-z]+[1-6]?(?: (?:class|colspan|rowspan)="[a-z0-9]+")*>'
)


class SomethingRuns(Exception):
    """A page holds an element or an attribute that is none of ours."""


def rendered(received: bytes) -> str:
    """The page of a reader who may see everything."""
    document = open_document(received)
    seen = {place: Marks() for place in range(len(document.resources)) if document.entry(place)}
    return render(document, Shown(entries=seen, words=True, registered_at=_NOON, registered_by="見本診療所"))


def tormented(
    folder: Path, policy: str, received: bytes, page_of: Callable[[bytes], str] = rendered
) -> Reading:
    """Read and rendered in a worker, which notes how long a refusal took beyond parsing, and its own memory."""
    began = time.process_time()
    try:
        reading = read_bundle(received, policy_named(policy))
    except BundleRejected:
        took = time.process_time() - began
        _note(folder, took - _parsing(received))
        raise
    if reading.document.kind in DOCUMENT_CLASSES:
        body = page_of(received).partition("<body>")[2]
        if not all(map(_PLAIN.fullmatch, _TAG.findall(body))):
            raise SomethingRuns
    _note(folder, None)
    return reading


def _parsing(received: bytes) -> float:
    """What the two parsers take together, as far as they get."""
    began = time.process_time()
    for parse in (orjson.loads, json.loads):
        try:
            parse(received)
        except (ValueError, RecursionError):
            pass
    return time.process_time() - began


def _note(folder: Path, seconds: float | None) -> None:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with (folder / f"{os.getpid()}.noted").open("a") as file:
        file.write(f"{'' if seconds is None else seconds} {memory}\n")


async def _told(reader: BundleReader, number: int) -> tuple[str, str | None]:
    """What became of one, and the fault if it is one."""
    named = f"Bundle {number} of seed {SEED}"
    try:
        await reader.read(await asyncio.to_thread(hostile_bundle, number, SEED))
    except BundleRejected as rejected:
        if rejected.reason in (TOO_LONG, GIVEN_UP):
            return "gave up", f"{named}: {rejected.reason}"
        said = repr([str(rejected), rejected.place, rejected.reason, rejected.broken, rejected.rules])
        leaks = any(canary in said for canary in CANARIES)
        outcome = "too large for a worker" if rejected.reason == TOO_MUCH_MEMORY else "refused"
        return outcome, f"{named}: its refusal tells what it held" if leaks else None
    except Exception as error:
        return "failed", f"{named}: {type(error).__name__}"
    return "accepted", None


async def _all(read: Read, bundles: int) -> tuple[Counter[str], list[str]]:
    counts: Counter[str] = Counter()
    faults: list[str] = []
    reader = BundleReader(WORKERS, read, WORKER)
    try:
        for start in range(0, bundles, _AT_ONCE):
            numbers = range(start, min(start + _AT_ONCE, bundles))
            for outcome, fault in await asyncio.gather(*(_told(reader, number) for number in numbers)):
                counts[outcome] += 1
                faults += [fault] if fault else []
    finally:
        await asyncio.to_thread(reader.close)
    return counts, faults


@contextmanager
def _errors_into(file: Path) -> Iterator[None]:
    """What this process and those it starts write on standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    with file.open("wb") as into:
        os.dup2(into.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _run(folder: Path, share: float, reads: dict[str, Read]) -> Outcome:
    done, faults = [], []
    for name, read in reads.items():
        with _errors_into(folder / f"{name}.err"):
            counts, found = asyncio.run(_all(read, round(BUNDLES * share)))
        faults += [f"under {name}: {fault}" for fault in found]
        done.append(
            f"{name}: " + ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(counts.items()))
        )
        said = (folder / f"{name}.err").read_text(errors="replace")
        faults += [f"standard error tells {word}" for word in ("Traceback", *CANARIES) if word in said]
    noted = [line.split(" ") for file in folder.glob("*.noted") for line in file.read_text().splitlines()]
    beyond = sorted(float(seconds) for seconds, _ in noted if seconds)
    memory = max(int(memory) for _, memory in noted) / 1024
    p99 = beyond[min(len(beyond) - 1, int(0.99 * len(beyond)))] * 1000
    verdict = "pass" if p99 <= BAR_MS else "FAIL"
    done.append(
        f"p99 of a refusal beyond parsing {p99:.0f} ms (bar {BAR_MS}: {verdict}), longest {beyond[-1] * 1000:.0f}"
    )
    done.append(f"worker's memory at most {memory:.0f} MB")
    if memory * 1024 * 1024 > WORKER.memory_bytes * 1.1:  # the limit counts data; program text comes on top
        faults.append(f"a worker used {memory:.0f} MB")
    return Outcome(f"{'; '.join(done)}", faults)


def run(folder: Path, share: float) -> Outcome:
    return _run(folder, share, {name: partial(tormented, folder, name) for name in ("clins-1.10", "shape")})


def quoting(folder: Path, received: bytes) -> Reading:
    """A reader that quotes what it could not take."""
    _note(folder, 0.0)
    raise BundleRejected("Bundle", received.decode("utf-8", "replace"))


def trusting(folder: Path, received: bytes) -> Reading:
    """A reader that takes for granted what it has not looked at."""
    _note(folder, 0.0)
    tree = orjson.loads(received) if len(received) < 1_000_000 else {"identifier": {}}
    return read_bundle(received) if tree["identifier"] else read_bundle(b"")


def as_sent(received: bytes) -> str:
    """A page with the first narrative as it was sent."""
    sections = (
        section.div
        for section in in_clinical_order(DocumentKind.REFERRAL, open_document(received).composition)
    )
    return "<body>" + "".join(div for div in sections if div)


def showing(folder: Path, received: bytes) -> Reading:
    return tormented(folder, "shape", received, as_sent)


def control(read: Callable[[Path, bytes], Reading], folder: Path, share: float) -> Outcome:
    return _run(folder, min(share, 0.02), {"shape": partial(read, folder)})


TORTURE = Torture(
    "hostile Bundles",
    run,
    {
        "refusals that quote": partial(control, quoting),
        "a reader that trusts": partial(control, trusting),
        "narratives as sent": partial(control, showing),
    },
)
