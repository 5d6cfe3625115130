"""The received bytes are kept exactly as they came: a re-dump would change times and decimals."""

import json
from hashlib import sha256
from typing import Any
from uuid import UUID

from psycopg import Connection

from examples import CLINIC_SYSTEM, a_bundle
from log_examples import Run, opened_payloads
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.events import BundleRegistered
from tsuzuri.domain.units import load_document, load_entries
from tsuzuri.domain.vocabulary import RecordClass, Stream


def oddly_spelled() -> bytes:
    """A valid Bundle as no serialiser writes it: tabs, CRLF, escapes, 4.50E1, and blanks around the whole."""
    text = json.dumps(json.loads(a_bundle()), ensure_ascii=True, indent="\t").replace("\n", "\r\n")
    spelled = text.replace(
        '"onsetDateTime": "2026-11-01"',
        '"onsetAge"  :{"value" : 4.50E1 ,"unit":"歳","system":"http://unitsofmeasure.org","code":"a"}',
    )
    assert "4.50E1" in spelled and "\\u8a66" in spelled
    return b" \r\n\t" + spelled.encode() + b"\n\n  \n"


def test_every_byte_that_came_is_there_again(run: Run, connection: Connection[Any]) -> None:
    received = oddly_spelled()

    async def story(services: Services) -> BundleRegistered:
        answer = await register_bundle(services, CLINIC_SYSTEM, received)
        *_, event = await services.log.stream(answer.patient, Stream.RECORD)
        assert isinstance(event, BundleRegistered)
        return event

    event = run(story)
    bodies = opened_payloads(connection)
    whole, head, *units = [bodies[i] for i in (event.received, event.head, *(u.payload for u in event.units))]

    assert whole == received
    assert event.received_sha256 == sha256(received).hexdigest()
    assert event.received_bytes == len(received)
    assert [unit.record_class for unit in event.units] == [RecordClass.CONDITION]
    assert [unit.sha256 for unit in event.units] == [sha256(unit).hexdigest() for unit in units]
    assert [unit.entries for unit in event.units] == [len(load_entries(unit)) for unit in units] == [1]
    assert load_document(head).value == event.value
    assert len(bodies) == 3


def test_the_same_bundle_spelled_otherwise_is_another(run: Run) -> None:
    async def story(services: Services) -> list[str]:
        sent = [oddly_spelled(), oddly_spelled(), oddly_spelled() + b" ", oddly_spelled()]
        return [str((await register_bundle(services, CLINIC_SYSTEM, one)).outcome) for one in sent]

    assert run(story) == ["REGISTERED", "UNCHANGED", "REPLACED", "SUPERSEDED"]


def test_they_are_read_back_for_their_own_patient_alone(run: Run) -> None:
    received = oddly_spelled()

    async def story(services: Services) -> list[bytes | None]:
        answer = await register_bundle(services, CLINIC_SYSTEM, received)
        *_, event = await services.log.stream(answer.patient, Stream.RECORD)
        stranger = UUID(int=answer.patient.int + services.log.parts)  # in the same part
        asked = [(answer.patient, event.received), (stranger, event.received), (answer.patient, UUID(int=1))]
        return [await services.log.payload(owner, payload) for owner, payload in asked]

    assert run(story) == [received, None, None]
