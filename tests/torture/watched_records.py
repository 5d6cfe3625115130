"""Patients whose records change when one likes, doctors who may see them, and the streams by which these watch."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID, uuid4

import orjson
from psycopg import Connection
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from examples import CLINIC_SYSTEM, HOSPITAL, HOSPITAL_SYSTEM, a_bundle
from log_examples import logins
from projection_examples import catch_up
from socket_examples import PROTOCOL
from torture.served import opened
from tsuzuri.app.settings import Settings
from tsuzuri.app.tokens import development_token
from tsuzuri.domain.events import BundleRegistered, BundleReplaced, originator
from tsuzuri.domain.identifiers import InsuredPersonNumber
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.connecting import LogRole
from tsuzuri.eventlog.log import EventLog

CHANGED = """subscription ($of: String!) { recordChanged(patient: {insuredPerson: $of}) { __typename
  ... on RecordChanged { position } ... on AccessRefused { reason } } }"""


@dataclass(eq=False)
class Record:
    """One patient's, of which the hospital may see the diagnosis; and where her record stream stands."""

    number: str
    patient: UUID
    registered: BundleRegistered
    version: int

    def next_change(self) -> BundleReplaced:
        """The same is sent once more: a version that ends and one that begins."""
        self.version += 1
        kept = {field.name: getattr(self.registered, field.name) for field in fields(BundleRegistered)}
        return BundleReplaced(
            **kept
            | {
                "originator_id": originator(self.patient, Stream.RECORD),
                "originator_version": self.version,
                "event_id": uuid4(),
            },
            replaces=self.registered.event_id,
        )


async def records(settings: Settings, dsn: str, number: int, *, granted: bool = True) -> list[Record]:
    """So many, indexed already."""
    numbers = (f"000{one:05}:き:{one}:01" for one in itertools.count(1))
    made = []
    async with opened(settings, dsn) as world:
        for insured in itertools.islice(numbers, number):
            bundle = a_bundle(number=insured, local_id=insured[:8])
            told = await world.register_bundle(
                CLINIC_SYSTEM, bundle.replace(b'"P-1"', f'"{insured[:8]}"'.encode())
            )
            if granted:
                key, classes = InsuredPersonNumber.parse(insured), [RecordClass.CONDITION]
                await world.grant_consent(
                    HOSPITAL_SYSTEM, key, HOSPITAL, classes, PurposeOfUse.TREAT, None, None
                )
            events = await world.services.log.stream(told.patient, Stream.RECORD)
            (registered,) = [event for event in events if isinstance(event, BundleRegistered)]
            made.append(Record(insured, told.patient, registered, events[-1].originator_version))
    with logins(dsn).connect(LogRole.PROJECTOR) as connection:
        catch_up(connection)
    random.shuffle(made)
    return made


async def change(log: EventLog, record: Record, *, narrows: bool) -> int:
    """Appended; its position in her part. What *narrows* makes every decision about her be made again."""
    (stored,) = await log.append_access([record.next_change()], Beside(narrows=narrows))
    return stored.place.pos


def doctors_token(settings: Settings, number: int) -> str:
    """Each is a caller of her own."""
    return development_token(settings, role=Role.CLINICIAN, person=f"dr-{number}", facility=HOSPITAL)


@asynccontextmanager
async def socket(port: int, token: str) -> AsyncIterator[ClientConnection]:
    """One that is acknowledged."""
    async with connect(
        f"ws://127.0.0.1:{port}/graphql",
        subprotocols=[Subprotocol(PROTOCOL)],
        compression=None,
        ping_interval=None,
        open_timeout=60,
        close_timeout=5,
        proxy=None,
    ) as opened_socket:
        payload = {"authorization": f"Bearer {token}"}
        await opened_socket.send(orjson.dumps({"type": "connection_init", "payload": payload}).decode())
        assert orjson.loads(await opened_socket.recv())["type"] == "connection_ack"
        yield opened_socket


async def told_by_socket(port: int, token: str, record: Record) -> AsyncIterator[dict[str, Any]]:
    """What recordChanged tells of a record, until it is over."""
    async with socket(port, token) as opened_socket:
        payload = {"query": CHANGED, "variables": {"of": record.number}}
        await opened_socket.send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}).decode())
        async for text in opened_socket:
            message = orjson.loads(text)
            match message["type"]:
                case "next":
                    yield message["payload"]["data"]["recordChanged"]
                case "ping":
                    await opened_socket.send('{"type":"pong"}')
                case _:
                    return


async def told_by_events(port: int, token: str, record: Record) -> AsyncIterator[dict[str, Any]]:
    """The same over Server-Sent Events."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    body = orjson.dumps({"query": CHANGED, "variables": {"of": record.number}})
    head = (
        f"POST /graphql HTTP/1.1\r\nHost: tsuzuri\r\nAuthorization: Bearer {token}\r\n"
        f"Accept: text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    try:
        writer.write(head.encode() + body)
        async for line in reader:
            if line.startswith(b"data: "):
                yield orjson.loads(line[6:])["data"]["recordChanged"]
            elif line.startswith(b"event: complete"):
                return
    finally:
        writer.close()


def consented_when_told(connection: Connection[Any]) -> Sequence[tuple[UUID, int]]:
    """Patient and position of what was told behind a withdrawal that no grant had followed: by the log's own order."""
    return connection.execute(
        """SELECT patient_id, pos FROM (
               SELECT patient_id, pos, topic, max(pos) FILTER (WHERE topic = 'consent-granted') OVER past AS granted,
                      max(pos) FILTER (WHERE topic = 'consent-withdrawn') OVER past AS withdrawn
               FROM event WHERE topic IN ('watcher-told', 'consent-granted', 'consent-withdrawn')
               WINDOW past AS (PARTITION BY patient_id ORDER BY pos)
           ) AS told
           WHERE topic = 'watcher-told' AND withdrawn > granted ORDER BY patient_id, pos"""
    ).fetchall()
