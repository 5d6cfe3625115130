"""Every summary of many patients, folded a second time from the rules' text (tests/oracle): line by line the same.

The thirty of clinosim where their files are, the sample, and the sample in trouble; now, and when most is too old.
"""

import asyncio
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from psycopg import Connection

from log_examples import settings_at
from oracle.asking import Life, Shown, asked, compared, live
from oracle.patients import DATA, in_trouble, of_clinosim, of_the_sample
from oracle.summary import Rules
from torture.fresh_log import fresh_log
from torture.harness import Outcome, Torture
from tsuzuri.app.application import TsuzuriApplication
from tsuzuri.app.services import services
from tsuzuri.graphql.schema import build_schema, schema_sha256
from world import World

PATIENTS = 300  # of the sample; as many others of it in trouble
LATER = (timedelta(0), timedelta(days=366), timedelta(days=6 * 366))


async def _shown(folder: Path, dsn: str, lives: Sequence[Life]) -> list[Shown]:
    with Connection.connect(dsn, autocommit=True) as connection:
        async with services(settings_at(folder / "home"), dsn) as opened:
            world = World(TsuzuriApplication(opened, schema_sha256(build_schema())), connection)
            await live(world, lives)
            began = datetime.now(UTC)
            return [one for later in LATER for one in await asked(world, lives, began + later)]


def tormented(folder: Path, share: float, rules: Rules) -> Outcome:
    random = Random(seed := int.from_bytes(os.urandom(4)))
    patients = round(PATIENTS * share)
    clinosim = of_clinosim() if DATA.is_dir() else []
    sample = of_the_sample(2 * patients)
    lives = [
        *clinosim[: round(len(clinosim) * share)],
        *sample[:patients],
        *in_trouble(sample[patients:], random),
    ]
    with fresh_log(folder) as dsn:
        found = compared(asyncio.run(_shown(folder, dsn, lives)), rules)
    acts = sum(len(life.acts) for life in lives)
    done = f"{len(lives):,} patients (seed {seed}), {acts:,} acts, {found.lines:,} lines"
    return Outcome(done, found.faults)


def run(folder: Path, share: float) -> Outcome:
    return tormented(folder, share, Rules())


def four_results(folder: Path, share: float) -> Outcome:
    return tormented(folder, min(share, 0.1), Rules(last=4))


TORTURE = Torture("summaries", run, {"the last four are kept": four_results})
