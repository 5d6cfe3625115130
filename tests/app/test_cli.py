"""The `tsuzuri` command: what it says, and the code it ends with: 0 done, 1 stopped at something, 2 wrong usage."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from command_examples import Tsuzuri
from examples import CLINIC, HOSPITAL, PATIENT, a_bundle
from log_examples import KEY_SETTINGS
from token_examples import recognised
from tsuzuri.app.actions.refusals import Busy, NotPermitted
from tsuzuri.app.cli import COMMANDS, exit_code
from tsuzuri.app.embedded_postgres import EmbeddedPostgresUnavailable
from tsuzuri.app.identity import identity_of
from tsuzuri.app.migrate import MigrationRefused, migrations
from tsuzuri.app.settings import SettingsWrong, read_settings
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.tokens import DevelopmentOnly
from tsuzuri.domain.callers import IncompleteCaller
from tsuzuri.domain.vocabulary import Role
from tsuzuri.graphql.schema import build_schema
from tsuzuri.projections.catalogue import UnknownProjection
from tsuzuri.projections.checkpoints import ProjectionOutdated


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.json"
    file.write_bytes(a_bundle())
    return file


# --- help and usage


def test_help_says_what_it_can_do(tsuzuri: Tsuzuri) -> None:
    done = tsuzuri("--help")

    assert done.code == 0
    assert "Tsuzuri 綴" in done.out
    for name in ("serve", "ingest", "check", "sample", "query", "token", "schema"):
        assert re.search(rf"\b{name}\b", done.out)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(tsuzuri: Tsuzuri, command: str) -> None:
    done = tsuzuri(command, "--help")

    assert done.code == 0
    assert re.search(rf"Usage: .* {command} ", done.out)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["serv"],
        ["--nonsense"],
        ["ingest"],
        ["check"],
        ["projections"],
        ["projections", "forget"],
        ["token"],
        ["token", "--role", "WIZARD"],
        ["token", "--role", "PATIENT", "--patient", "hanako"],
        ["sample", "somewhere", "--patients", "0"],
        ["query", "absent.graphql"],
        ["facilities", "load", "absent.json"],
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_two(tsuzuri: Tsuzuri, arguments: list[str]) -> None:
    done = tsuzuri(*arguments)

    assert done.code == 2
    assert "Traceback" not in done.err


def test_the_installed_program_is_the_same_command() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from tsuzuri.app.cli import main; main()", "token", "--role", "AUDITOR"],
        env={**os.environ, "TSUZURI_MODE": "production"},
        capture_output=True,
        text=True,
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tsuzuri: development tokens exist only with TSUZURI_MODE=development")


# --- what a person can mend is told in one line


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingsWrong("x"), 2),
        (DevelopmentOnly("x"), 2),
        (IncompleteCaller("x"), 2),
        (UnknownProjection("x"), 2),
        (Busy("x"), 1),
        (NotPermitted("x"), 1),
        (EmbeddedPostgresUnavailable("x"), 1),
        (MigrationRefused("x"), 1),
        (ProjectionOutdated("x"), 1),
        (TokenRefused("x"), 1),
        (ValueError("x"), None),
        (AssertionError("x"), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_what_a_person_can_mend_has_a_code_and_a_fault_of_ours_has_none(
    error: Exception, code: int | None
) -> None:
    assert exit_code(error) == code


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("TSUZURI_MODE", "dev", "TSUZURI_MODE is production or development"),
        ("TSUZURI_PORT", "http", "TSUZURI_PORT is a number from 0 to 65535"),
        ("TSUZURI_PARTS", "0", "TSUZURI_PARTS is a number from 1 to 4096"),
        ("TSUZURI_DATABASE_FILE", "/absent", "TSUZURI_DATABASE_FILE: /absent cannot be read (No such file"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(
    tsuzuri: Tsuzuri, good: Path, setting: str, value: str, says: str
) -> None:
    done = tsuzuri("ingest", good, **{setting: value})

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"tsuzuri: {says}") and done.err.count("\n") == 1


# --- tokens


def test_a_token_is_printed_and_says_who_calls(tsuzuri: Tsuzuri, tmp_path: Path) -> None:
    done = tsuzuri(
        "token", "--role", "CLINICIAN", "--person", "dr-hamada", "--facility", HOSPITAL,
        TSUZURI_MODE="development",
    )  # fmt: skip

    assert (done.code, done.err) == (0, "")
    settings = read_settings({"TSUZURI_MODE": "development", "TSUZURI_HOME": str(tmp_path / "home")})
    caller = recognised(identity_of(settings), done.out.strip())
    assert (caller.person, caller.role, caller.facility) == ("dr-hamada", Role.CLINICIAN, HOSPITAL)


def test_production_prints_no_token(tsuzuri: Tsuzuri) -> None:
    done = tsuzuri("token", "--role", "OPERATOR")

    assert (done.code, done.out) == (2, "")
    assert "in production, tokens come from your identity provider" in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--role", "CLINICIAN"], "tsuzuri: the role CLINICIAN needs a facility\n"),
        (["--role", "PATIENT"], "tsuzuri: the role PATIENT needs a patient\n"),
    ],
)
def test_a_role_that_lacks_something_says_what(tsuzuri: Tsuzuri, arguments: list[str], says: str) -> None:
    done = tsuzuri("token", *arguments, TSUZURI_MODE="development")

    assert (done.code, done.out, done.err) == (2, "", says)


# --- the schema


def test_the_schema_is_printed_whole(tsuzuri: Tsuzuri) -> None:
    done = tsuzuri("schema")

    assert (done.code, done.err) == (0, "")
    assert done.out == build_schema().as_str() + "\n"


# --- a database that is named


@pytest.mark.parametrize("missing", KEY_SETTINGS)
def test_with_a_named_database_the_keys_must_be_named_too(
    tsuzuri: Tsuzuri, dsn: str, good: Path, tmp_path: Path, missing: str
) -> None:
    others = {name: file for name, file in KEY_SETTINGS.items() if name != missing}

    done = tsuzuri("ingest", good, TSUZURI_DATABASE=dsn, **others)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"tsuzuri: {missing} is not set: ") and done.err.count("\n") == 1
    assert ("tsuzuri keys new" if "ENCRYPTION" in missing else "openssl rand -hex 32") in done.err
    assert not (tmp_path / "home").exists()


def test_with_its_keys_a_named_database_is_used(
    tsuzuri: Tsuzuri, dsn: str, good: Path, tmp_path: Path
) -> None:
    done = tsuzuri("ingest", good, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)

    assert (done.code, done.out) == (0, "1 read: 1 registered\n")
    assert not (tmp_path / "home").exists()  # neither keys nor a server of its own


def test_a_database_that_was_never_migrated_waits_for_its_operator(
    tsuzuri: Tsuzuri, empty_dsn: str, good: Path
) -> None:
    pending = [f"pending {migration.number:04}_{migration.name}" for migration in migrations()]

    ingested = tsuzuri("ingest", good, TSUZURI_DATABASE=empty_dsn, **KEY_SETTINGS)
    before = tsuzuri("db", "status")
    migrated = tsuzuri("db", "migrate")
    after = tsuzuri("db", "status")

    assert ingested.code == 1
    assert ingested.err == f"tsuzuri: the database lacks {migrations()[0].name}; run: tsuzuri db migrate\n"
    assert (before.code, before.out.splitlines()) == (1, [*pending, "run: tsuzuri db migrate"])
    assert migrated.code == 0
    assert (after.code, after.out) == (0, "the database fits this program\n")


def test_a_role_key_that_the_database_does_not_know_is_told_with_the_next_step(
    tsuzuri: Tsuzuri, dsn: str, good: Path, tmp_path: Path
) -> None:
    (tmp_path / "role.key").write_text("00" * 32)
    keys = KEY_SETTINGS | {"TSUZURI_ROLE_KEY_FILE": str(tmp_path / "role.key")}

    done = tsuzuri("ingest", good, TSUZURI_DATABASE=dsn, **keys)

    assert (done.code, done.out) == (1, "")
    assert "run: tsuzuri db migrate" in done.err and done.err.count("\n") == 1


@pytest.mark.parametrize("command", ["catch-up", "rebuild"])
def test_a_projection_that_there_is_not_is_named_beside_those_there_are(
    tsuzuri: Tsuzuri, dsn: str, command: str
) -> None:
    done = tsuzuri("projections", command, "horoscope", TSUZURI_DATABASE=dsn, **KEY_SETTINGS)

    assert done.code == 2
    assert "tsuzuri: no projection 'horoscope'; there are: identities" in done.err


def test_an_operator_rebuilds_checks_promotes_and_goes_back(tsuzuri: Tsuzuri, dsn: str, good: Path) -> None:
    def ordered(*words: str) -> tuple[int, str]:
        done = tsuzuri("projections", *words, TSUZURI_DATABASE=dsn, **KEY_SETTINGS)
        return done.code, done.out

    assert tsuzuri("ingest", good, TSUZURI_DATABASE=dsn, **KEY_SETTINGS).code == 0
    assert ordered("catch-up")[0] == 0

    code, told = ordered("rebuild", "record_index", "--keep-beside", "--why", "drill", "--ticket", "OPS-17")
    assert code == 0 and "reads follow generation 1; next: tsuzuri projections promote record_index" in told
    assert "record_index generation 2 READY" in ordered("list")[1]
    assert ordered("check", "record_index")[0] == 0
    assert "reads follow generation 2 now" in ordered("promote", "record_index")[1]
    assert "reads follow generation 1 again" in ordered("rollback", "record_index")[1]
    assert ordered("cancel", "record_index")[0] == 1
    assert ordered("drop", "record_index") == (0, "record_index: dropped 2\n")
    assert ordered("rollback", "record_index")[0] == 1
    assert ordered("quarantine", "list") == (0, "nobody is quarantined\n")
    assert ordered("quarantine", "skip", "record_index", "00000000-0000-4000-8000-000000000001")[0] == 2, (
        "without a word why"
    )


def test_a_server_that_would_recognise_nobody_does_not_start(
    tsuzuri: Tsuzuri, dsn: str, tmp_path: Path
) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("TSUZURI_")}
    done = subprocess.run(
        [sys.executable, "-c", "from tsuzuri.app.cli import main; main()", "serve"],
        env=own | {"TSUZURI_HOME": str(tmp_path), "TSUZURI_DATABASE": dsn} | KEY_SETTINGS,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert done.stderr.startswith(
        "tsuzuri: neither TSUZURI_OIDC_DISCOVERY nor TSUZURI_JWKS_FILE is set: nobody could be recognised."
    )


def test_a_query_needs_no_server_and_is_answered_by_role(tsuzuri: Tsuzuri, dsn: str, tmp_path: Path) -> None:
    (tmp_path / "own.graphql").write_text("{ me { record { patient { id } } } }")
    settings = {"TSUZURI_MODE": "development", "TSUZURI_DATABASE": dsn, **KEY_SETTINGS}
    hers = tsuzuri("token", "--role", "PATIENT", "--patient", str(PATIENT), **settings).out.strip()
    theirs = tsuzuri("token", "--role", "SYSTEM", "--facility", CLINIC).out.strip()

    answered = tsuzuri("query", tmp_path / "own.graphql", "--token", hers)
    forbidden = tsuzuri("query", tmp_path / "own.graphql", TSUZURI_TOKEN=theirs)
    forged = tsuzuri("query", tmp_path / "own.graphql", "--token", "forged")

    assert answered.code == 0 and str(PATIENT) in answered.out
    assert forbidden.code == 1 and '"FORBIDDEN"' in forbidden.out
    assert forged.code == 1 and forged.out == ""
