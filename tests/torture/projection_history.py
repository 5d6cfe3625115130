"""One history, as hypothesis makes it up: what happens to patients, and what is done with projections meanwhile."""

import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, precondition, rule
from psycopg import Connection

from examples import CLINIC, HOSPITAL, SIX
from log_examples import a_ring, append_write, logins
from projection_examples import BUNDLE_SYSTEM, an_engine, bundle_value
from torture.failpoints import FORK, arm
from torture.fresh_log import empty
from torture.lives import Patient
from torture.tables import Folded, differing, stored
from tsuzuri.domain.erasures import NothingToErase
from tsuzuri.domain.owners import document_id
from tsuzuri.domain.vocabulary import DocumentKind, RecordClass, Stream
from tsuzuri.eventlog.appending import Write
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.key_keeping import KeyKeeper
from tsuzuri.projections.catalogue import PROJECTIONS, Projection
from tsuzuri.projections.failpoints import FAILPOINTS
from tsuzuri.projections.filling import fill, index_when_filled
from tsuzuri.projections.generations import (
    UnknownGeneration,
    begin_rebuild,
    beside,
    drop_retired,
    live_generation,
    previous_generation,
    promote,
)
from tsuzuri.projections.quarantine import quarantined
from tsuzuri.projections.rebuilding import rebuild
from tsuzuri.projections.replaying import NothingOfPatient, rebuild_patient

PARTS = 2  # each more would cost every rebuild a batch
PATIENTS = (0, 2, 4, 1)  # three of them in one part
BATCHES_MOST = 1_000  # more than any history has
WAIT_SECONDS_MAX = 60.0

STEPS = [name for name in FAILPOINTS if not name.startswith("lease.")]
_OF_REBUILDS = ("fill.", "index.", "promote.")

# Of each choice the first is what a history is cut down to.
patients = st.integers(0, len(PATIENTS) - 1)
facilities = st.sampled_from((CLINIC, HOSPITAL))
local_ids = st.sampled_from("ab")
contents = st.sampled_from(("p", "q", "pq", "pr"))  # keys of entries
labs = st.sampled_from(("", "p", "qr"))
marks = st.sampled_from(("", "p", "q"))  # keys of those that are hidden
classes = st.sampled_from((SIX[:1], SIX[1:2], SIX[:2]))
projections = st.runner().flatmap(lambda history: st.sampled_from(list(history.shared.projections)))
rebuilt = st.runner().flatmap(lambda history: st.sampled_from(sorted(history.rebuilt)))
sizes = st.sampled_from((1_000, 1, 3))  # of batches, in events


@dataclass
class Shared:
    """What histories have in common: a log, which is emptied for each, the projections, counts of what was done."""

    dsn: str
    owner: Connection[Any]  # the database's
    projector: Connection[Any]
    projections: Mapping[str, Projection]
    done: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Sent:
    """Where a Bundle lies: whose, whose sender, which."""

    patient: int
    facility: str
    local_id: str

    def document(self, patient: UUID) -> UUID:
        value = bundle_value(self.local_id, self.facility)
        return document_id(patient, self.facility, BUNDLE_SYSTEM, value, DocumentKind.CONDITIONS)


class History(RuleBasedStateMachine):
    """Each rule is something that happens; hypothesis chooses which, and with what."""

    sent: Bundle[Sent] = Bundle("sent")
    consented: Bundle[tuple[int, str]] = Bundle("consented")  # who to whom

    def __init__(self, shared: Shared) -> None:
        super().__init__()
        self.shared, self.projector = shared, shared.projector
        self.faults: list[str] = []  # that were found on the way
        self.patients = [Patient(number, Random(number), PARTS) for number in PATIENTS]
        self.rebuilt: set[str] = set()  # projections that may have other generations than the live one
        empty(shared.owner)
        shared.done["histories"] += 1

    @initialize(target=sent, patient=patients, facility=facilities, local_id=local_ids, contents=contents)
    def begin(self, patient: int, facility: str, local_id: str, contents: str) -> Sent:
        return self._register(Sent(patient, facility, local_id), contents)

    @rule(target=sent, patient=patients, facility=facilities, local_id=local_ids, contents=contents)
    def register(self, patient: int, facility: str, local_id: str, contents: str) -> Sent:
        return self._register(Sent(patient, facility, local_id), contents)

    @rule(sent=sent, contents=contents, labs=labs, marked=marks)
    def replace(self, sent: Sent, contents: str, labs: str, marked: str) -> None:
        self._register(sent, contents, labs, marked)

    @rule(sent=sent)
    def cancel(self, sent: Sent) -> None:
        patient = self.patients[sent.patient]
        if (document := sent.document(patient.patient_id)) in patient.documents():
            self._append(patient.cancel(document))

    @rule(target=consented, patient=patients, facility=facilities, classes=classes)
    def consent(self, patient: int, facility: str, classes: tuple[RecordClass, ...]) -> tuple[int, str]:
        self._append(self.patients[patient].consent(facility, classes))
        return patient, facility

    @rule(consented=consented, classes=classes)
    def withdraw(self, consented: tuple[int, str], classes: tuple[RecordClass, ...]) -> None:
        patient, facility = consented
        self._append(self.patients[patient].withdraw(facility, classes))

    @rule(patient=patients)
    def look(self, patient: int) -> None:
        self._append(self.patients[patient].look())

    @rule(sent=sent, what=st.sampled_from(("document", "document and units", *Stream)))
    def erase(self, sent: Sent, what: str | Stream) -> None:
        patient = self.patients[sent.patient]
        try:
            if isinstance(what, Stream):
                erasure = patient.erase_stream(what)
            else:
                document = sent.document(patient.patient_id)
                erasure = patient.erase_document(document, units=what == "document and units")
        except NothingToErase:
            return
        KeyKeeper(logins(self.shared.dsn), a_ring(), PARTS).destroy(*erasure)
        self.shared.done["erasures"] += 1

    @rule(name=projections, size=sizes)
    def catch_up(self, name: str, size: int) -> None:
        """By one batch."""
        an_engine(size).step(self.projector, self._projection(name), self._live(name))

    @rule(name=projections, size=sizes)
    def rebuild(self, name: str, size: int) -> None:
        """From the first event on, or from where one was left."""
        projection = self._rebuilt(name)
        drop_retired(self.projector, projection)
        comparison = rebuild(self.projector, an_engine(size), projection).comparison
        if comparison is None or not comparison.equal:
            self.faults.append(f"{name}: a rebuild differs")

    @rule(name=projections, size=sizes, batches=st.integers(1, 4))
    def leave_rebuild(self, name: str, size: int, batches: int) -> None:
        """So many batches of it, which may be all; somebody goes on with it later, or nobody does."""
        self._fill(self._rebuilt(name), size, batches)

    @precondition(lambda self: self.rebuilt)
    @rule(name=rebuilt, back=st.booleans())
    def promote(self, name: str, back: bool) -> None:
        """The new generation if it is ready, or the one before if there is one."""
        projection, new = self._projection(name), beside(self.projector, name)
        if back:
            try:
                promote(self.projector, an_engine(), projection, previous_generation(self.projector, name))
            except UnknownGeneration:
                pass
        elif new is not None and new.state == "READY":
            promote(self.projector, an_engine(), projection, new.generation)

    @rule(name=projections, patient=patients)
    def rebuild_patient(self, name: str, patient: int) -> None:
        whose = self.patients[patient].patient_id
        try:
            if not rebuild_patient(
                self.projector, an_engine(), self._projection(name), self._live(name), whose
            ):
                self.faults.append(f"{name}: a patient who is made anew is quarantined")
        except NothingOfPatient:  # up to where the generation stands
            pass

    @rule(name=projections, size=sizes, step=st.sampled_from(STEPS), passes=st.integers(0, 2))
    def crash(self, name: str, size: int, step: str, passes: int) -> None:
        """In a batch, or in a rebuild."""
        if step.startswith(_OF_REBUILDS):
            projection = self._rebuilt(name)
            self._crash(f"{step}:{passes}", lambda own: rebuild(own, an_engine(size), projection))
        else:
            projection, live = self._projection(name), self._live(name)
            self._crash(f"{step}:{passes}", lambda own: an_engine(size).catch_up(own, projection, live))

    def teardown(self) -> None:
        """What is live, what a rebuild gives and what a fold in memory gives: the same in the end."""
        assert not self.faults, self.faults[0]
        for name, projection in self.shared.projections.items():
            an_engine().catch_up(self.projector, projection, self._live(name))
        folded = Folded(self.shared.owner)
        for projection in self.shared.projections.values():
            self._compare(projection, folded)
        assert not quarantined(self.projector), "a patient is quarantined"

    def _compare(self, projection: Projection, folded: Folded) -> None:
        name, wanted = projection.name, folded.tables(PROJECTIONS[projection.name])
        live = stored(self.projector, projection, self._live(name))
        assert not differing(live, wanted), f"{name}: live rows are not those of a fold in memory"
        if not any(topic in projection.topics for topic, _ in folded.events):
            return  # a rebuild that has nothing to do takes as long as one that has
        generation = self._fill(projection, 1_000, BATCHES_MOST)
        an_engine().catch_up(self.projector, projection, generation)
        new = stored(self.projector, projection, generation)
        assert not differing(new, wanted), f"{name}: rebuilt rows are not those of a fold in memory"

    def _fill(self, projection: Projection, size: int, batches: int) -> int:
        """Of a generation that was begun already, or of a new one; its number."""
        engine = an_engine(size)
        generation = begin_rebuild(self.projector, engine, projection)
        for _ in range(batches):
            if not fill(self.projector, engine, projection, generation).more:
                index_when_filled(self.projector, projection, generation)
                break
        return generation

    def _register(self, sent: Sent, contents: str, labs: str = "", marked: str = "") -> Sent:
        patient, entries = self.patients[sent.patient], {RecordClass.CONDITION: contents}
        if labs:
            entries[RecordClass.LAB_RESULT] = labs
        if patient.record.demographics is None:
            self._append(patient.identify())
        self._append(patient.register(sent.facility, sent.local_id, entries, marked))
        return sent

    def _append(self, write: Write) -> None:
        with self.shared.owner.transaction():
            append_write(self.shared.owner, write)
        self.shared.done["events"] += 1

    def _projection(self, name: str) -> Projection:
        self.shared.done["deeds"] += 1
        return self.shared.projections[name]

    def _rebuilt(self, name: str) -> Projection:
        self.rebuilt.add(name)
        return self._projection(name)

    def _live(self, name: str) -> int:
        return live_generation(self.projector, name)

    def _crash(self, failpoint: str, deed: Callable[[Connection[Any]], Any]) -> None:
        """A process of its own does it until it is killed there, or to the end if it does not come there."""
        process = FORK.Process(target=_armed, args=(failpoint, self.shared.dsn, deed), daemon=True)
        process.start()
        process.join(WAIT_SECONDS_MAX)
        assert process.exitcode in (0, -signal.SIGKILL), f"a process that was to die at {failpoint} failed"
        self.shared.done["kills"] += process.exitcode != 0
        own = [one.info.backend_pid for one in (self.shared.owner, self.projector)]
        while self.shared.owner.execute(
            """SELECT FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL (%s)""",
            (own,),
        ).fetchone():
            time.sleep(0.001)  # its session still has its locks


def _armed(failpoint: str, dsn: str, deed: Callable[[Connection[Any]], Any]) -> None:
    arm(failpoint)
    with logins(dsn).connect(LogRole.PROJECTOR) as connection:
        deed(connection)
