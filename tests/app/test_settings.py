"""What an operator sets, and what is said when it cannot be used: the setting, the file, the next step."""

from pathlib import Path

import pytest

from tsuzuri.app.rates import USUAL, Rate
from tsuzuri.app.settings import Settings, SettingsWrong, read_settings
from tsuzuri.domain.vocabulary import Role

HEX = "0123456789abcdef" * 4


def wrong(**environment: str) -> str:
    with pytest.raises(SettingsWrong) as told:
        read_settings(environment)
    return str(told.value)


# --- defaults


def test_what_is_not_set_is_meant_for_production(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert read_settings({}) == Settings(
        development=False,
        home=tmp_path / ".tsuzuri",
        database=None,
        identifier_key_file=None,
        seal_key_file=None,
        role_key_file=None,
        encryption_keys_file=None,
        checkpoint_key_file=None,
        checkpoint_seconds=10,
        published=tmp_path / ".tsuzuri" / "published",
        witnesses=(),
        key_provider=None,
        jwks_file=None,
        discovery=None,
        jwks_trust_hours=24,
        issuer="https://tsuzuri.example",
        audience="tsuzuri",
        token_minutes=10,
        second_factor="staff",
        acr_values=(),
        amr_values=("mfa",),
        system_tokens_bound=True,
        public_url=None,
        host="127.0.0.1",
        port=8080,
        metrics_address=None,
        shutdown_seconds=10,
        rates=USUAL,
        lookups_per_minute=10,
        operations_max=32,
        operations_each=8,
        request_log=True,
        traces=False,
        origins=frozenset(),
        projectors=1,
        rules="clins-1.10",
        rule_severities="",
        sets_by_department=False,
        reader_memory_mb=1024,
        rebuild_share=0.4,
        retention_hours=0,
        review_hours=1,
        emergency_undelivered=False,
        correction_days=30,
        notice_url=None,
        notice_token_file=None,
        documents=None,
        documents_only=False,
        parts=64,
    )


def test_every_setting_is_read(tmp_path: Path) -> None:
    settings = read_settings(
        {
            "TSUZURI_MODE": "development",
            "TSUZURI_HOME": str(tmp_path),
            "TSUZURI_DATABASE": "host=db",
            "TSUZURI_IDENTIFIER_KEY_FILE": "/keys/identifier",
            "TSUZURI_SEAL_KEY_FILE": "/keys/seal",
            "TSUZURI_ROLE_KEY_FILE": "/keys/role",
            "TSUZURI_ENCRYPTION_KEYS_FILE": "/keys/encryption",
            "TSUZURI_CHECKPOINT_KEY_FILE": "/keys/checkpoint",
            "TSUZURI_CHECKPOINT_SECONDS": "60",
            "TSUZURI_PUBLISHED": "/srv/published",
            "TSUZURI_WITNESSES": "one+00000001+AAAA two+00000002+BBBB",
            "TSUZURI_KEY_PROVIDER": "hsm:keys",
            "TSUZURI_JWKS_FILE": "/keys/jwks",
            "TSUZURI_ISSUER": "https://issuer.example",
            "TSUZURI_AUDIENCE": "records",
            "TSUZURI_OIDC_DISCOVERY": "https://issuer.example/.well-known/openid-configuration",
            "TSUZURI_JWKS_TRUST_HOURS": "48",
            "TSUZURI_TOKEN_MINUTES": "5",
            "TSUZURI_SECOND_FACTOR": "all",
            "TSUZURI_ACR": "urn:example:two urn:example:three",
            "TSUZURI_SYSTEM_TOKENS": "dpop",
            "TSUZURI_PUBLIC_URL": "https://records.example/tsuzuri/",
            "TSUZURI_HOST": "0.0.0.0",
            "TSUZURI_PORT": "9000",
            "TSUZURI_METRICS_ADDRESS": "[::1]:9090",
            "TSUZURI_SHUTDOWN_SECONDS": "30",
            "TSUZURI_RATE": "PATIENT=5/60",
            "TSUZURI_LOOKUPS_PER_MINUTE": "3",
            "TSUZURI_OPERATIONS_MAX": "64",
            "TSUZURI_OPERATIONS_EACH": "16",
            "TSUZURI_REQUEST_LOG": "off",
            "TSUZURI_TRACES": "otlp",
            "TSUZURI_ORIGINS": "https://viewer.example, http://ward.example:8443",
            "TSUZURI_PROJECTORS": "3",
            "TSUZURI_RULES": "clins-1.5",
            "TSUZURI_RULE_SEVERITIES": "R6021=off",
            "TSUZURI_SET_SCOPE": "department",
            "TSUZURI_READER_MEMORY_MB": "512",
            "TSUZURI_REBUILD_SHARE": "0.25",
            "TSUZURI_RETENTION_HOURS": "24",
            "TSUZURI_REVIEW_HOURS": "6",
            "TSUZURI_EMERGENCY_UNDELIVERED": "shown",
            "TSUZURI_CORRECTION_DAYS": "14",
            "TSUZURI_NOTICE_URL": "https://notices.example/tsuzuri",
            "TSUZURI_NOTICE_TOKEN_FILE": "/keys/notices",
            "TSUZURI_DOCUMENTS": "/etc/documents",
            "TSUZURI_DOCUMENTS_ONLY": "yes",
            "TSUZURI_PARTS": "4096",
        }
    )

    assert settings == Settings(
        development=True,
        home=tmp_path,
        database="host=db",
        identifier_key_file=Path("/keys/identifier"),
        seal_key_file=Path("/keys/seal"),
        role_key_file=Path("/keys/role"),
        encryption_keys_file=Path("/keys/encryption"),
        checkpoint_key_file=Path("/keys/checkpoint"),
        checkpoint_seconds=60,
        published=Path("/srv/published"),
        witnesses=("one+00000001+AAAA", "two+00000002+BBBB"),
        key_provider="hsm:keys",
        jwks_file=Path("/keys/jwks"),
        discovery="https://issuer.example/.well-known/openid-configuration",
        jwks_trust_hours=48,
        issuer="https://issuer.example",
        audience="records",
        token_minutes=5,
        second_factor="all",
        acr_values=("urn:example:two", "urn:example:three"),
        amr_values=(),
        system_tokens_bound=True,
        public_url="https://records.example/tsuzuri",
        host="0.0.0.0",
        port=9000,
        metrics_address=("::1", 9090),
        shutdown_seconds=30,
        rates={**USUAL, Role.PATIENT: Rate(5, 60)},
        lookups_per_minute=3,
        operations_max=64,
        operations_each=16,
        request_log=False,
        traces=True,
        origins=frozenset({"https://viewer.example", "http://ward.example:8443"}),
        projectors=3,
        rules="clins-1.5",
        rule_severities="R6021=off",
        sets_by_department=True,
        reader_memory_mb=512,
        rebuild_share=0.25,
        retention_hours=24,
        review_hours=6,
        emergency_undelivered=True,
        correction_days=14,
        notice_url="https://notices.example/tsuzuri",
        notice_token_file=Path("/keys/notices"),
        documents=Path("/etc/documents"),
        documents_only=True,
        parts=4096,
    )


def test_without_being_told_otherwise_the_environment_of_the_process_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TSUZURI_AUDIENCE", "from the environment")

    assert read_settings().audience == "from the environment"


@pytest.mark.parametrize(
    "name",
    ["TSUZURI_DATABASE", "TSUZURI_DATABASE_FILE", "TSUZURI_JWKS_FILE", "TSUZURI_PORT", "TSUZURI_HOME"],
)
def test_a_setting_that_is_empty_is_not_set(name: str) -> None:
    assert read_settings({name: ""}) == read_settings({})


def test_a_home_is_the_same_folder_wherever_one_goes_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)

    assert read_settings({"TSUZURI_HOME": "here"}).home == tmp_path / "here"


# --- values that cannot be used


@pytest.mark.parametrize(
    "url",
    [
        "http://notices.example/",
        "ftp://127.0.0.1/",
        "notices.example",
        "https://",
        "https://user:secret@notices.example/",
        "https://notices.example/a b",
        "https://[::1",
    ],
)
def test_notices_about_patients_go_out_encrypted_or_stay_on_this_machine(url: str) -> None:
    told = wrong(TSUZURI_NOTICE_URL=url)

    assert told.startswith("TSUZURI_NOTICE_URL is an https address")
    assert "secret" not in told
    for here in ("http://127.0.0.1:9/x", "http://localhost/", "http://[::1]:8000/"):
        assert read_settings({"TSUZURI_NOTICE_URL": here}).notice_url == here


def test_development_asks_less_of_a_token_unless_it_is_told_to() -> None:
    mode = {"TSUZURI_MODE": "development"}

    usual = read_settings(mode)
    asked = read_settings(mode | {"TSUZURI_SECOND_FACTOR": "staff", "TSUZURI_SYSTEM_TOKENS": "dpop"})

    assert (usual.second_factor, usual.system_tokens_bound, usual.token_minutes) == ("none", False, 720)
    assert (asked.second_factor, asked.system_tokens_bound) == ("staff", True)


def test_where_we_are_reached_is_the_beginning_of_an_address() -> None:
    assert (
        read_settings({"TSUZURI_PUBLIC_URL": "https://records.example/"}).public_url
        == "https://records.example"
    )
    for url in ("https://records.example/?a", "https://records.example/#b"):
        assert wrong(TSUZURI_PUBLIC_URL=url).startswith("TSUZURI_PUBLIC_URL is the beginning")
    assert wrong(TSUZURI_PUBLIC_URL="records.example").startswith("TSUZURI_PUBLIC_URL is an https address")


@pytest.mark.parametrize("words", ['urn:"x"', "urn:\\x", "日本"])
def test_what_a_second_factor_is_called_can_stand_in_a_header(words: str) -> None:
    assert wrong(TSUZURI_ACR=words) == "TSUZURI_ACR is a list of words, with blanks between them"


@pytest.mark.parametrize("mode", ["Development", "dev", "test"])
def test_there_are_two_modes(mode: str) -> None:
    assert wrong(TSUZURI_MODE=mode) == "TSUZURI_MODE is production or development"


@pytest.mark.parametrize("port", ["-1", "65536", "http", "80.5", "8 0"])
def test_a_port_is_a_number_in_its_range(port: str) -> None:
    assert wrong(TSUZURI_PORT=port) == "TSUZURI_PORT is a number from 0 to 65535"


@pytest.mark.parametrize("parts", ["0", "4097", "many"])
def test_so_is_the_number_of_parts(parts: str) -> None:
    assert wrong(TSUZURI_PARTS=parts) == "TSUZURI_PARTS is a number from 1 to 4096"


@pytest.mark.parametrize("share", ["0", "1.1", "half", "nan"])
def test_a_share_is_a_part_of_the_time(share: str) -> None:
    assert wrong(TSUZURI_REBUILD_SHARE=share).startswith("TSUZURI_REBUILD_SHARE is a number from 0.01 to 1")


@pytest.mark.parametrize(
    "rate", ["NURSE=1/2", "CLINICIAN", "CLINICIAN=1", "CLINICIAN=0/5", "CLINICIAN=5/-1", "OFF", "PATIENT=१/२"]
)
def test_a_rate_is_for_a_role_so_much_a_second_and_at_once(rate: str) -> None:
    assert wrong(TSUZURI_RATE=rate).startswith('TSUZURI_RATE is "off", or changes such as CLINICIAN=50/1000')


def test_no_rate_holds_when_it_is_off() -> None:
    assert read_settings({"TSUZURI_RATE": "off"}).rates is None


@pytest.mark.parametrize(
    "address", ["9090", ":9090", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:70000", "here:http"]
)
def test_metrics_are_told_at_an_address_and_a_port(address: str) -> None:
    assert wrong(TSUZURI_METRICS_ADDRESS=address).startswith(
        "TSUZURI_METRICS_ADDRESS is an address to listen on"
    )


# --- the database


def test_a_database_may_be_named_in_a_file_which_counts_before_the_variable(tmp_path: Path) -> None:
    (tmp_path / "dsn").write_text("host=from-the-file password=secret\n")

    settings = read_settings(
        {"TSUZURI_DATABASE": "host=from-the-variable", "TSUZURI_DATABASE_FILE": str(tmp_path / "dsn")}
    )

    assert settings.database == "host=from-the-file password=secret"


def test_a_database_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    told = wrong(TSUZURI_DATABASE_FILE=str(tmp_path / "absent"))

    assert told == f"TSUZURI_DATABASE_FILE: {tmp_path / 'absent'} cannot be read (No such file or directory)"


def test_a_database_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    assert wrong(TSUZURI_DATABASE_FILE=str(tmp_path)).endswith("cannot be read (Is a directory)")
