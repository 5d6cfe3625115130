"""The client example: generated from the schema on file, it reads a record from a server, by digest alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_examples import CONDITIONS, OTHER_NUMBER, Json, Served
from examples import HOSPITAL, NUMBER
from tsuzuri.domain.vocabulary import Role

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "python-client"
CLIENT = Path(os.environ.get("TSUZURI_TEST_CLIENT", Path(sys.prefix) / "client")) / "bin"
"""An environment of its own, which `make client` makes: it needs an older graphql-core than we."""

pytestmark = pytest.mark.skipif(
    not (CLIENT / "ariadne-codegen").exists(), reason="ariadne-codegen is not installed: make client"
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the example and what was generated for it."""
    folder = tmp_path_factory.mktemp("client")
    shutil.copy(EXAMPLE / "read_record.py", folder)
    settings = (EXAMPLE / "pyproject.toml").read_text("utf-8").replace("../..", str(ROOT))
    (folder / "pyproject.toml").write_text(settings, "utf-8")
    made = subprocess.run(
        [CLIENT / "ariadne-codegen"], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert made.returncode == 0, made.stdout + made.stderr
    return folder


def read(client: Path, served: Served, number: str) -> subprocess.CompletedProcess[str]:
    token = served.bearer(Role.CLINICIAN, HOSPITAL)["Authorization"].removeprefix("Bearer ")
    return subprocess.run(
        [
            CLIENT / "python",
            "read_record.py",
            f"http://127.0.0.1:{served.port}/graphql",
            ROOT / "app" / "documents",
        ],
        cwd=client,
        env={"TSUZURI_TOKEN": token, "PYTHONUTF8": "1"},
        input=f"{number}\n",
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_it_reads_a_record(client: Path, served: Served, record: Json) -> None:
    done = read(client, served, NUMBER)

    assert done.returncode == 0, done.stderr
    assert [name for name in CONDITIONS.values() if name in done.stdout] == list(CONDITIONS.values())


def test_a_refusal_is_an_answer_of_its_own_type(client: Path, served: Served, record: Json) -> None:
    done = read(client, served, OTHER_NUMBER.replace("188", "999"))

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("refused: NOT_AVAILABLE (access ")
