"""What an operator may set, read once from the environment. A name ending in _FILE points at a file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tsuzuri.domain.rules.policies import PolicyWrong, policy_named

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
    key_provider: str | None  # TSUZURI_KEY_PROVIDER: module:callable, instead of that file
    jwks_file: Path | None  # TSUZURI_JWKS_FILE: public keys of the token issuer
    issuer: str  # TSUZURI_ISSUER
    audience: str  # TSUZURI_AUDIENCE
    host: str  # TSUZURI_HOST
    port: int  # TSUZURI_PORT
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
    parts: int  # TSUZURI_PARTS: counts only when the database is made


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Raises SettingsWrong."""
    env = os.environ if environment is None else environment
    mode = _one_of(env, "TSUZURI_MODE", "production", "development")
    home = Path(env.get("TSUZURI_HOME") or Path.home() / ".tsuzuri").absolute()
    return Settings(
        development=mode == "development",
        home=home,
        database=_database(env),
        identifier_key_file=_path(env, "TSUZURI_IDENTIFIER_KEY_FILE"),
        seal_key_file=_path(env, "TSUZURI_SEAL_KEY_FILE"),
        role_key_file=_path(env, "TSUZURI_ROLE_KEY_FILE"),
        encryption_keys_file=_path(env, "TSUZURI_ENCRYPTION_KEYS_FILE"),
        key_provider=env.get("TSUZURI_KEY_PROVIDER") or None,
        jwks_file=_path(env, "TSUZURI_JWKS_FILE"),
        issuer=env.get("TSUZURI_ISSUER") or "https://tsuzuri.example",
        audience=env.get("TSUZURI_AUDIENCE") or "tsuzuri",
        host=env.get("TSUZURI_HOST") or "127.0.0.1",
        port=_number(env, "TSUZURI_PORT", 8080, 0, 65535),
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


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None


def _address(env: Mapping[str, str], name: str) -> str | None:
    """An https address, or an http address of this machine: what goes there is about patients."""
    if not (url := env.get(name)):
        return None
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    safe = parts.scheme == "https" or parts.scheme == "http" and host in _THIS_MACHINE if host else False
    if not safe or parts.username is not None or not url.isascii() or not url.isprintable() or " " in url:
        raise SettingsWrong(
            f"{name} is an https address, or an http address of this machine; a password goes into a file"
        )
    return url


def _one_of(env: Mapping[str, str], name: str, *words: str) -> str:
    """The first word is the default."""
    word = env.get(name) or words[0]
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
