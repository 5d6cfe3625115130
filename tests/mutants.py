"""Do the tests notice when the code that decides, or the code that guards, says something else? `make mutants`.

mutmut changes one thing at a time in each function and runs the tests that reach it. It follows no links, so it is
given a copy in which `src/tsuzuri` holds real folders. `python tests/mutants.py [group …]`; exit code 1 below a bar.

Every mutant that no test noticed counts against the share, whether or not mutants_survivors.txt says why it may live.
mutmut leaves alone what is decorated (properties) and what is not inside a function (tables, constants).
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, chdir, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.stats import status_by_exit_code
from psycopg import Connection
from psycopg.conninfo import make_conninfo

ROOT = Path(__file__).parents[1]
ROOMS = ("app", "graphql", "projections", "eventlog", "domain")
SURVIVORS = Path(__file__).with_name("mutants_survivors.txt")
CHILDREN = "2"
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""Where the copy and the database lie, if there is such a place: each mutant makes and drops databases of its own."""
NOTICED = ("killed", "timeout")
"""mutmut's words for what a test noticed, or what then never ended."""


@dataclass(frozen=True)
class Group:
    """Code that is mutated, and the tests that should notice."""

    name: str
    code: tuple[str, ...]
    tests: tuple[str, ...]
    on_postgres: bool
    bar: float = 0.9


@dataclass(frozen=True)
class Mutant:
    function: str  # as mutmut names it, without the number
    file: str
    status: str  # in mutmut's words: killed, survived, timeout, no tests, …
    change: str  # `was → became`; of killed ones empty

    @property
    def killed(self) -> bool:
        return self.status in NOTICED


DECISION = Group(
    name="decision",
    code=(
        "domain/access.py",
        "domain/grounds.py",
        "domain/policies.py",
        "domain/scopes.py",
        "domain/requests.py",
        "domain/consents.py",
        "domain/denials.py",
        "domain/proxies.py",
        "domain/emergencies.py",
        "domain/emergency_rights.py",
        "domain/disasters.py",
        "domain/previews.py",
    ),
    tests=(
        "tests/domain/test_access.py",
        "tests/domain/test_access_grounds.py",
        "tests/domain/test_consents.py",
        "tests/domain/test_covers.py",
        "tests/domain/test_denials_and_proxies.py",
        "tests/domain/test_disasters.py",
        "tests/domain/test_emergencies.py",
        "tests/domain/test_emergency_rights.py",
        "tests/domain/test_previews.py",
        "tests/domain/test_scopes.py",
    ),
    on_postgres=False,
)
GUARD = Group(
    name="guard",
    code=(
        "projections/sight.py",
        "projections/emergency_table.py",
        "projections/fences.py",
        "app/actions/open_record.py",
        "app/actions/load_policies.py",
        "app/actions/settle_readings.py",
        "app/actions/find_patient.py",
        "app/actions/left_behind.py",
    ),
    tests=(
        "tests/projections/test_sight.py",
        "tests/projections/test_fence_policies.py",
        "tests/app/test_left_behind.py",
        "tests/app/test_named_by.py",
        "tests/app/test_open_record.py",
        "tests/app/test_settle_readings.py",
    ),
    on_postgres=True,
)
GROUPS = {group.name: group for group in (DECISION, GUARD)}


def main() -> int:
    reasons = reasons_on_file(SURVIVORS.read_text("utf-8"))
    good = []
    for name in sys.argv[1:] or list(GROUPS):
        group = GROUPS[name]
        with tempfile.TemporaryDirectory(prefix="tsuzuri-mutants-", dir=MEMORY) as scratch:
            good.append(report(group, mutants(group, Path(scratch)), reasons))
    return 0 if all(good) else 1


def report(group: Group, found: Sequence[Mutant], reasons: Mapping[tuple[str, str], str]) -> bool:
    """Print the shares and who survived; whether the group has reached its bar."""
    total = Counter(mutant.file for mutant in found)
    killed = Counter(mutant.file for mutant in found if mutant.killed)
    good = bool(found) and killed.total() >= group.bar * total.total()
    for file in group.code:
        if total[file]:
            print(f"  {file:32} {killed[file]:5}/{total[file]:<5} {killed[file] / total[file]:6.1%}")
    share = killed.total() / (total.total() or 1)
    verdict = "pass" if good else "FAIL"
    print(f"{group.name:34} {killed.total():5}/{total.total():<5} {share:6.1%}  {group.bar:.0%}  {verdict}")
    for mutant in found:
        if not mutant.killed:
            reason = reasons.get((mutant.function, mutant.change), "NO REASON ON FILE")
            print(f"  {mutant.status}: {mutant.function}: {mutant.change}  # {reason}", flush=True)
    return good


def reasons_on_file(text: str) -> dict[tuple[str, str], str]:
    """Of each survivor, by its function and change: why it may live. Numbers would move with every edit."""
    reasons = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            mutant, reason = line.rsplit("  # ", 1)
            function, change = mutant.split(": ", 1)
            reasons[function, change] = reason
    return reasons


def mutants(group: Group, scratch: Path) -> list[Mutant]:
    copy = scratch / "copy"
    copy_tracked(copy)
    configure(copy, group)
    server: AbstractContextManager[dict[str, str]] = nullcontext({})
    if group.on_postgres:
        server = postgres(scratch / "postgres")
    with server as environment:
        subprocess.run(
            [sys.executable, "-m", "mutmut", "run", "--max-children", CHILDREN],
            cwd=copy,
            env={**os.environ, **environment},
            check=True,
            stdout=sys.stderr,
        )
    return list(results(copy))


def copy_tracked(copy: Path) -> None:
    """Every file of the project as it lies in the work tree, each room where its link stands."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in listed.stdout.rstrip("\0").split("\0"):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        within = Path("src", "tsuzuri", name) if name.split("/")[0] in ROOMS else Path(name)
        (copy / within).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy / within)


def configure(copy: Path, group: Group) -> None:
    settings = {
        "source_paths": ["src"],
        "only_mutate": [f"src/tsuzuri/{file}" for file in group.code],
        "also_copy": ["tests"],
        "pytest_add_cli_args_test_selection": list(group.tests),
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
    }
    with Path(copy, "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("\n[tool.mutmut]\n")
        file.writelines(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


@contextmanager
def postgres(home: Path) -> Iterator[dict[str, str]]:
    """One server and one migrated database for all mutants: making them anew would take most of the time."""
    from log_examples import make_log
    from tsuzuri.app.embedded_postgres import EmbeddedPostgres

    with EmbeddedPostgres(home) as server:
        with Connection.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE DATABASE template_of_mutants")
        make_log(make_conninfo(server.dsn, dbname="template_of_mutants"))
        yield {"TSUZURI_TEST_DATABASE": server.dsn, "TSUZURI_TEST_TEMPLATE": "template_of_mutants"}


def results(copy: Path) -> Iterator[Mutant]:
    """What became of each, as mutmut left it in its folder."""
    with chdir(copy):
        for path in sorted(Path("mutants").rglob("*.py.meta")):
            file = str(path.relative_to("mutants/src/tsuzuri")).removesuffix(".meta")
            for name, code in json.loads(path.read_text("utf-8"))["exit_code_by_key"].items():
                function, status = name.rpartition("__mutmut_")[0], status_by_exit_code[code]
                noticed = status in NOTICED
                said = "" if noticed else change(get_diff_for_mutant(name))
                yield Mutant(function.removeprefix("tsuzuri."), file, status, said)


def change(diff: str) -> str:
    """`was → became`, from a unified diff."""
    lines = [line for line in diff.splitlines() if line[:3] not in ("---", "+++")]
    was, became = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in ("-", "+")
    )
    return f"{was} → {became}"


if __name__ == "__main__":
    sys.exit(main())
