"""Crypto-shredding: what was recorded stays proven, her list of accesses stays readable until its own key goes."""

import asyncio
import json
from pathlib import Path
from typing import Any

from psycopg import Connection

from checkpoint_examples import KEY, an_access, maker_at
from examples import CLINIC, OPERATOR, a_bundle, a_caller
from log_examples import Run
from tsuzuri.app.actions.erase import erase_document, erase_stream
from tsuzuri.app.actions.prove import prove_accesses
from tsuzuri.app.actions.register_bundle import register_bundle
from tsuzuri.app.services import Services
from tsuzuri.domain.vocabulary import Role, Stream
from tsuzuri.eventlog.appending import Beside
from tsuzuri.eventlog.proofs.bundles import AccessesProven, EventProven, verify
from tsuzuri.eventlog.proving import prover

SYSTEM = a_caller("system:clinic", Role.SYSTEM, CLINIC)


def test_every_proof_holds_when_she_is_erased(
    run: Run, dsn: str, connection: Connection[Any], tmp_path: Path
) -> None:
    async def story(services: Services) -> None:
        told = await register_bundle(services, SYSTEM, a_bundle())
        accesses = [an_access(told.patient) for _ in range(3)]
        for access in accesses:
            await services.log.append_access([access], Beside())
        maker = maker_at(dsn, tmp_path)
        await asyncio.to_thread(maker.make)
        part = services.log.part_of(told.patient)

        async def events() -> list[EventProven]:
            found = []
            async with prover(services.pool) as made:
                for pos in range(1, 5):
                    holds = verify(json.loads(json.dumps(await made.event(part, pos))), KEY.public)
                    assert isinstance(holds, EventProven)
                    found.append(holds)
            return found

        async def listed() -> AccessesProven:
            holds = verify(json.loads(json.dumps(await prove_accesses(services, [told.patient]))), KEY.public)
            assert isinstance(holds, AccessesProven)
            return holds

        before = [one.event for one in await events()]
        await erase_document(services, OPERATOR, told.patient, told.document, units=True, reason="asked for")
        await erase_stream(services, OPERATOR, told.patient, Stream.RECORD, reason="asked for")
        await erase_stream(services, OPERATOR, told.patient, Stream.CONSENT, reason="asked for")
        await asyncio.to_thread(maker.make)

        assert [one.event for one in await events()] == before
        assert [one.told is not None for one in (await listed()).accesses] == [True] * 3

        await erase_stream(services, OPERATOR, told.patient, Stream.ACCESS, reason="asked for")
        await asyncio.to_thread(maker.make)

        assert [one.event for one in await events()] == before
        assert [one.access.event_id for one in (await listed()).accesses] == [
            one.event_id for one in accesses
        ]
        assert [one.told for one in (await listed()).accesses] == [None] * 3

    run(story)
