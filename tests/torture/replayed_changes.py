"""What goes on while somebody reads: Bundles come, replace and are taken back, consents open and close, names change;
the projector catches up, lags and fills the index anew."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

from psycopg import Connection

from emergency_examples import by_id
from examples import CLINIC, CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, OPERATOR, a_bundle, herself
from projection_examples import an_engine, catch_up
from torture.read_world import OF_THE_SAMPLE, SEED, Inhabited
from tsuzuri.app.actions.register_bundles import register_bundles
from tsuzuri.app.sample.generate import facilities, sample_bundles
from tsuzuri.domain.vocabulary import RecordClass
from tsuzuri.projections.catalogue import PROJECTIONS
from tsuzuri.projections.rebuilding import rebuild
from world import CANCEL, World

CODES = {"20065011": "上腹部痛", "8830417": "片頭痛", "20058911": "狭心症", "20059303": "高血圧症"}
MARKS = ("UNINFORMED", "UNDELIVERED", "LTS")
PAUSES = (
    (0.0,) * 6 + (0.02,) * 3 + (1.5,)
)  # seconds that the projector does nothing: then reads are incomplete
ASKED_BETWEEN = 4  # two changes: a replay folds all that has happened to a record
REBUILT_EVERY = 25  # looks of the projector
_GRANT = """mutation($patient: PatientKey!, $to: String!, $classes: [RecordClass!]!) { grantConsent(patient: $patient,
  facility: $to, classes: $classes, until: "2090-01-01T00:00:00+09:00") }"""
_WITHDRAW = """mutation($patient: PatientKey!, $to: String!, $classes: [RecordClass!]!) {
  withdrawConsent(patient: $patient, facility: $to, classes: $classes) }"""
_RESTORE = CANCEL.replace("cancelBundle", "restoreBundle")


class Changes:
    """One thing after the other, chosen by a seed."""

    def __init__(self, world: World, found: Inhabited, random: Random) -> None:
        self.world, self.found, self.random = world, found, random
        people = max(OF_THE_SAMPLE) + 1
        self.sample = [
            one.body for one in sample_bundles(people, SEED) if f"sample {one.patient}" in found.patients
        ]
        self.listed = list(facilities())
        self.made = 0

    async def one(self) -> None:
        """What cannot be done as it stands (nothing to take back, said already) is left."""
        self.made += 1
        which = (
            self._bundle,
            self._bundle,
            self._bundle,
            self._sent_again,
            self._sent_again,
            self._cancel,
            self._consent,
            self._consent,
            self._renamed,
        )
        await self.random.choice(which)()

    async def _bundle(self) -> None:
        random = self.random
        said = dict(random.sample(list(CODES.items()), random.randint(1, len(CODES))))
        marked = {code: random.choice(MARKS) for code in said if random.random() < 0.25}
        hospital = random.random() < 0.4
        more: dict[str, Any] = {
            "facility": HOSPITAL if hospital else CLINIC,
            "local_id": f"set-{random.randint(1, 3)}",
            "name": "試験 花代" if random.random() < 0.2 else "試験 花子",
            "timestamp": f"2026-11-{random.randint(18, 28)}T{random.randint(8, 17):02}:00:00+09:00",
        }
        sender = HOSPITAL_SYSTEM if hospital else CLINIC_SYSTEM
        await self.world.application.register_bundle(sender, a_bundle(**more, conditions=said, flags=marked))

    async def _sent_again(self) -> None:
        """With other bytes: a new version of what it says."""
        blanks = b" " * self.random.randint(1, 60)
        body = self.random.choice(self.sample) + blanks
        await register_bundles(self.world.application.services, OPERATOR, [body], on_behalf=True)

    async def _cancel(self) -> None:
        await self.world.ask(CLINIC_SYSTEM, self.random.choice((CANCEL, _RESTORE)))

    async def _consent(self) -> None:
        name = self.random.choice(sorted(self.found.documents))
        patient: UUID = self.found.patients[name]
        document = self.random.choice((_GRANT, _GRANT, _WITHDRAW))
        classes = [str(one) for one in self.random.sample(list(RecordClass), 4)]
        to = self.random.choice((HOSPITAL, CLINIC))
        await self.world.ask(herself(patient), document, patient=by_id(patient), to=to, classes=classes)

    async def _renamed(self) -> None:
        number = self.random.randrange(len(self.listed))
        self.listed[number] = replace(self.listed[number], name=f"第{self.made}病院")
        await self.world.application.list_facility(OPERATOR, self.listed[number])


@contextmanager
def projecting(connection: Connection[Any], random: Random) -> Iterator[None]:
    """A projector beside what goes on, which lags now and then and fills the index anew; at the end all is applied."""
    ended = threading.Event()

    def work() -> None:
        looks = 0
        while not ended.wait(random.choice(PAUSES)):
            looks += 1
            catch_up(connection)
            if looks % REBUILT_EVERY == 0:
                rebuild(connection, an_engine(), PROJECTIONS["record_index"])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        catch_up(connection)


async def while_changing(changes: Changes, asking: "asyncio.Future[Any]", asked: Callable[[], int]) -> None:
    """One change for every few things that are asked, until all have been."""
    while not asking.done():
        if changes.made * ASKED_BETWEEN < asked():
            await changes.one()
        else:
            await asyncio.sleep(0.005)
    await asking
