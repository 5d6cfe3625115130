"""What an operator may set, read once from the environment. A name ending in _FILE points at a file."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tsuzuri.app.rates import Rate, RateWrong, read_rates
from tsuzuri.domain.rules.policies import PolicyWrong, policy_named
from tsuzuri.domain.vocabulary import Role

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class SettingsWrong(Exception):
    """A setting is missing or cannot be used; the message names it and says what to do."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The defaults are for production: development must be asked for. An empty setting counts as none."""

    development: bool  # TSUZURI_MODE=development: local tokens, GraphiQL
    home: Path  # TSUZURI_HOME: embedded database and keys, when they are not given
    database: str | None  # TSUZURI_DATABASE(_FILE): any PostgreSQL conninfo; None means embedded
    identifier_key_file: Path | None  # TSUZURI_IDENTIFIER_KEY_FILE: keyed hashes of patients' numbers
    seal_key_file: Path | None  # TSUZURI_SEAL_KEY_FILE: positions and cursors
    role_key_file: Path | None  # TSUZURI_ROLE_KEY_FILE: passwords of the database's roles
    encryption_keys_file: Path | None  # TSUZURI_ENCRYPTION_KEYS_FILE: what wraps the data keys
    checkpoint_key_file: Path | None  # TSUZURI_CHECKPOINT_KEY_FILE: signs checkpoints
    checkpoint_seconds: int  # TSUZURI_CHECKPOINT_SECONDS: how often `serve` makes one; 0: never
    published: Path  # TSUZURI_PUBLISHED: folder of the checkpoints, and of what auditors check them by
    witnesses: tuple[str, ...]  # TSUZURI_WITNESSES: public keys of those whose countersignatures are kept
    key_provider: str | None  # TSUZURI_KEY_PROVIDER: module:callable, instead of that file
    jwks_file: Path | None  # TSUZURI_JWKS_FILE: public keys of the token issuer
    discovery: (
        str | None
    )  # TSUZURI_OIDC_DISCOVERY: address of the issuer's configuration, instead of that file
    jwks_trust_hours: int  # TSUZURI_JWKS_TRUST_HOURS: how long its keys count while it cannot be asked
    issuer: str  # TSUZURI_ISSUER
    audience: str  # TSUZURI_AUDIENCE
    token_minutes: int  # TSUZURI_TOKEN_MINUTES: for how long a token may be issued at most
    second_factor: str  # TSUZURI_SECOND_FACTOR: of whom it is asked: "staff", "all" (patients too) or "none"
    acr_values: tuple[str, ...]  # TSUZURI_ACR: what a token's acr says when there was one
    amr_values: tuple[str, ...]  # TSUZURI_AMR: or one of the words of its amr; "mfa" when neither is set
    system_tokens_bound: (
        bool  # TSUZURI_SYSTEM_TOKENS=dpop: a facility's system proves that a token is its own
    )
    public_url: str | None  # TSUZURI_PUBLIC_URL: where callers reach us, as their proofs name it
    host: str  # TSUZURI_HOST
    port: int  # TSUZURI_PORT
    metrics_address: (
        tuple[str, int] | None
    )  # TSUZURI_METRICS_ADDRESS: host:port; /metrics is there and nowhere else then
    shutdown_seconds: int  # TSUZURI_SHUTDOWN_SECONDS: how long what was asked before the end may take
    rates: (
        Mapping[Role, Rate] | None
    )  # TSUZURI_RATE: what a caller may ask for, by role; None: as much as comes
    lookups_per_minute: (
        int  # TSUZURI_LOOKUPS_PER_MINUTE: how often a caller may name a patient by name and birth date
    )
    operations_max: int  # TSUZURI_OPERATIONS_MAX: how many run at once in one process
    operations_each: int  # TSUZURI_OPERATIONS_EACH: how many of them of one caller
    request_log: bool  # TSUZURI_REQUEST_LOG=off: no line for each request
    traces: bool  # TSUZURI_TRACES=otlp: spans go where OTEL_EXPORTER_OTLP_ENDPOINT says
    origins: frozenset[
        str
    ]  # TSUZURI_ORIGINS: web pages that may open a WebSocket, "https://viewer.example, …"
    projectors: int  # TSUZURI_PROJECTORS: processes beside `serve` that keep projections current
    rules: str  # TSUZURI_RULES: the policy that received Bundles must keep
    rule_severities: str  # TSUZURI_RULE_SEVERITIES: its changes, such as "R2152=warning,R6021=off"
    sets_by_department: bool  # TSUZURI_SET_SCOPE=department: whose conditions and allergies one Bundle tells
    reader_memory_mb: int  # TSUZURI_READER_MEMORY_MB: what a process that reads Bundles may use
    rebuild_share: float  # TSUZURI_REBUILD_SHARE: how much of its time a process gives to a rebuild
    retention_hours: int  # TSUZURI_RETENTION_HOURS: how often `serve` erases what is past its time; 0: never
    review_hours: int  # TSUZURI_REVIEW_HOURS: how often `serve` asks the rules for unusual access; 0: never
    emergency_undelivered: bool  # TSUZURI_EMERGENCY_UNDELIVERED=shown: an emergency shows 未提供 too
    correction_days: int  # TSUZURI_CORRECTION_DAYS: from when on a patient's request is overdue
    notice_url: str | None  # TSUZURI_NOTICE_URL: takes what patients are told; None: a file in the home
    notice_token_file: Path | None  # TSUZURI_NOTICE_TOKEN_FILE: the bearer token it asks for
    documents: Path | None  # TSUZURI_DOCUMENTS: folder of trusted documents; None: those that come along
    documents_only: bool  # TSUZURI_DOCUMENTS_ONLY=yes: no other document runs
    parts: int  # TSUZURI_PARTS: counts only when the database is made


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Raises SettingsWrong."""
    env = os.environ if environment is None else environment
    development = _one_of(env, "TSUZURI_MODE", "production", "development") == "development"
    home = Path(env.get("TSUZURI_HOME") or Path.home() / ".tsuzuri").absolute()
    return Settings(
        development=development,
        home=home,
        database=_database(env),
        identifier_key_file=_path(env, "TSUZURI_IDENTIFIER_KEY_FILE"),
        seal_key_file=_path(env, "TSUZURI_SEAL_KEY_FILE"),
        role_key_file=_path(env, "TSUZURI_ROLE_KEY_FILE"),
        encryption_keys_file=_path(env, "TSUZURI_ENCRYPTION_KEYS_FILE"),
        checkpoint_key_file=_path(env, "TSUZURI_CHECKPOINT_KEY_FILE"),
        checkpoint_seconds=_number(env, "TSUZURI_CHECKPOINT_SECONDS", 10, 0, 3600),
        published=_path(env, "TSUZURI_PUBLISHED") or home / "published",
        witnesses=_words(env, "TSUZURI_WITNESSES", ""),
        key_provider=env.get("TSUZURI_KEY_PROVIDER") or None,
        jwks_file=_path(env, "TSUZURI_JWKS_FILE"),
        discovery=_address(env, "TSUZURI_OIDC_DISCOVERY"),
        jwks_trust_hours=_number(env, "TSUZURI_JWKS_TRUST_HOURS", 24, 1, 168),
        issuer=env.get("TSUZURI_ISSUER") or "https://tsuzuri.example",
        audience=env.get("TSUZURI_AUDIENCE") or "tsuzuri",
        token_minutes=_number(env, "TSUZURI_TOKEN_MINUTES", 720 if development else 10, 1, 720),
        second_factor=_one_of(
            env, "TSUZURI_SECOND_FACTOR", "staff", "all", "none", default="none" if development else "staff"
        ),
        acr_values=_words(env, "TSUZURI_ACR", ""),
        amr_values=_words(env, "TSUZURI_AMR", "" if env.get("TSUZURI_ACR") else "mfa"),
        system_tokens_bound=_one_of(
            env, "TSUZURI_SYSTEM_TOKENS", "dpop", "bearer", default="bearer" if development else "dpop"
        )
        == "dpop",
        public_url=_public_url(env),
        host=env.get("TSUZURI_HOST") or "127.0.0.1",
        port=_number(env, "TSUZURI_PORT", 8080, 0, 65535),
        metrics_address=_listener(env, "TSUZURI_METRICS_ADDRESS"),
        shutdown_seconds=_number(env, "TSUZURI_SHUTDOWN_SECONDS", 10, 1, 600),
        rates=_rates(env),
        lookups_per_minute=_number(env, "TSUZURI_LOOKUPS_PER_MINUTE", 10, 1, 1_000),
        operations_max=_number(env, "TSUZURI_OPERATIONS_MAX", 32, 1, 10_000),
        operations_each=_number(env, "TSUZURI_OPERATIONS_EACH", 8, 1, 10_000),
        request_log=_one_of(env, "TSUZURI_REQUEST_LOG", "on", "off") == "on",
        traces=_one_of(env, "TSUZURI_TRACES", "off", "otlp") == "otlp",
        origins=_origins(env, "TSUZURI_ORIGINS"),
        projectors=_number(env, "TSUZURI_PROJECTORS", 1, 0, 64),
        **_rules(env),
        sets_by_department=_one_of(env, "TSUZURI_SET_SCOPE", "facility", "department") == "department",
        reader_memory_mb=_number(env, "TSUZURI_READER_MEMORY_MB", 1024, 256, 65536),
        rebuild_share=_share(env, "TSUZURI_REBUILD_SHARE", 0.4),
        retention_hours=_number(env, "TSUZURI_RETENTION_HOURS", 0, 0, 744),
        review_hours=_number(env, "TSUZURI_REVIEW_HOURS", 1, 0, 744),
        emergency_undelivered=_one_of(env, "TSUZURI_EMERGENCY_UNDELIVERED", "hidden", "shown") == "shown",
        correction_days=_number(env, "TSUZURI_CORRECTION_DAYS", 30, 1, 366),
        notice_url=_address(env, "TSUZURI_NOTICE_URL"),
        notice_token_file=_path(env, "TSUZURI_NOTICE_TOKEN_FILE"),
        documents=_path(env, "TSUZURI_DOCUMENTS"),
        documents_only=_one_of(env, "TSUZURI_DOCUMENTS_ONLY", "no", "yes") == "yes",
        parts=_number(env, "TSUZURI_PARTS", 64, 1, 4096),
    )


def _database(env: Mapping[str, str]) -> str | None:
    if file := _path(env, "TSUZURI_DATABASE_FILE"):
        given = read_secret(file, "TSUZURI_DATABASE_FILE").decode("ascii", "replace").strip()
        if not given or not given.isascii():
            raise SettingsWrong(f"TSUZURI_DATABASE_FILE: {file} holds no address of a database")
        return given
    return env.get("TSUZURI_DATABASE") or None


def _rules(env: Mapping[str, str]) -> dict[str, str]:
    name, severities = env.get("TSUZURI_RULES") or "clins-1.10", env.get("TSUZURI_RULE_SEVERITIES") or ""
    try:
        policy_named(name, severities)
    except PolicyWrong as error:
        raise SettingsWrong(f"TSUZURI_RULES, TSUZURI_RULE_SEVERITIES: {error}") from None
    return {"rules": name, "rule_severities": severities}


def _rates(env: Mapping[str, str]) -> Mapping[Role, Rate] | None:
    try:
        return read_rates(env.get("TSUZURI_RATE") or "")
    except RateWrong as error:
        raise SettingsWrong(f"TSUZURI_RATE {error}") from None


def _listener(env: Mapping[str, str], name: str) -> tuple[str, int] | None:
    if not (address := env.get(name)):
        return None
    host, _, port = address.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise SettingsWrong(f"{name} is an address to listen on, such as 127.0.0.1:9090")
    return host.strip("[]"), int(port)


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None


def safe_address(url: str) -> bool:
    """An https address, or an http address of this machine: what goes there, or comes from there, is to be trusted."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    safe = parts.scheme == "https" or parts.scheme == "http" and host in _THIS_MACHINE
    plain = url.isascii() and url.isprintable() and " " not in url
    return bool(host) and safe and plain and parts.username is None


def _address(env: Mapping[str, str], name: str) -> str | None:
    if not (url := env.get(name)):
        return None
    if not safe_address(url):
        raise SettingsWrong(
            f"{name} is an https address, or an http address of this machine; a password goes into a file"
        )
    return url


def _origins(env: Mapping[str, str], name: str) -> frozenset[str]:
    """As browsers write them (RFC 6454): scheme, host, and port where it is not the scheme's own."""
    given = [one.strip() for one in (env.get(name) or "").split(",") if one.strip()]
    if not all(_ORIGIN.fullmatch(one) for one in given):
        raise SettingsWrong(f'{name} is a list such as "https://viewer.example, https://ward.example:8443"')
    return frozenset(given)


def _public_url(env: Mapping[str, str]) -> str | None:
    """Without the slash at its end."""
    name = "TSUZURI_PUBLIC_URL"
    if (url := _address(env, name)) is None:
        return None
    if "?" in url or "#" in url:
        raise SettingsWrong(f"{name} is the beginning of our addresses: it has no query and no fragment")
    return url.rstrip("/")


def _words(env: Mapping[str, str], name: str, default: str) -> tuple[str, ...]:
    words = tuple((env.get(name) or default).split())
    if not all(word.isascii() and word.isprintable() and not {'"', "\\"} & set(word) for word in words):
        raise SettingsWrong(f"{name} is a list of words, with blanks between them")
    return words


def _one_of(env: Mapping[str, str], name: str, *words: str, default: str | None = None) -> str:
    """The first word is the default, unless one is named."""
    word = env.get(name) or default or words[0]
    if word not in words:
        raise SettingsWrong(f"{name} is {' or '.join(words)}")
    return word


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    try:
        number = int(env.get(name) or default)
    except ValueError:
        number = low - 1
    if not low <= number <= high:
        raise SettingsWrong(f"{name} is a number from {low} to {high}")
    return number


def _share(env: Mapping[str, str], name: str, default: float) -> float:
    try:
        share = float(env.get(name) or default)
    except ValueError:
        share = 0.0
    if not 0.01 <= share <= 1.0:
        raise SettingsWrong(
            f"{name} is a number from 0.01 to 1: 0.25 leaves three quarters of the time to others"
        )
    return share


def read_secret(file: Path, setting: str) -> bytes:
    """The bytes of a secret file. Raises SettingsWrong, naming the setting and the file, never the content."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise SettingsWrong(f"{setting}: {file} cannot be read ({error.strerror})") from None
