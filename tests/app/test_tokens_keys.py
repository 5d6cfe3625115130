"""Whose tokens count: a home's own key in development, and the issuer's keys wherever they are given."""

import json
from pathlib import Path

import pytest

from examples import HOSPITAL, PATIENT
from token_examples import CLAIMS, ISSUER, NOW, ORIGIN, PUBLIC, made, recognised
from tsuzuri.app.identity import identity_of
from tsuzuri.app.settings import Settings, SettingsWrong, read_settings
from tsuzuri.app.signed import TokenRefused
from tsuzuri.app.tokens import DevelopmentOnly, development_token
from tsuzuri.domain.callers import IncompleteCaller
from tsuzuri.domain.vocabulary import Role

# --- development tokens


def at_home(home: Path, **more: str) -> Settings:
    return read_settings({"TSUZURI_HOME": str(home)} | more)


def production(home: Path, **more: str) -> Settings:
    return at_home(home, TSUZURI_PUBLIC_URL=ORIGIN, TSUZURI_ISSUER=ISSUER, **more)


def test_in_development_a_local_token_says_who_calls(tmp_path: Path) -> None:
    settings = at_home(tmp_path, TSUZURI_MODE="development")
    token = development_token(settings, role=Role.CLINICIAN, person="dr-hamada", facility=HOSPITAL)

    caller = recognised(identity_of(settings), token)

    assert (caller.person, caller.role, caller.facility) == ("dr-hamada", Role.CLINICIAN, HOSPITAL)


def test_only_its_owner_reads_the_local_key(tmp_path: Path) -> None:
    settings = at_home(tmp_path, TSUZURI_MODE="development")
    development_token(settings, role=Role.AUDITOR, person="auditor-abe")

    (key,) = (tmp_path / "keys").iterdir()

    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700


def test_another_homes_development_token_is_forged(tmp_path: Path) -> None:
    mine = at_home(tmp_path / "mine", TSUZURI_MODE="development")
    token = development_token(
        at_home(tmp_path / "yours", TSUZURI_MODE="development"), role=Role.AUDITOR, person="auditor-abe"
    )

    with pytest.raises(TokenRefused):
        recognised(identity_of(mine), token)


def test_production_makes_no_development_tokens(tmp_path: Path) -> None:
    with pytest.raises(DevelopmentOnly, match="TSUZURI_MODE=development"):
        development_token(at_home(tmp_path), role=Role.OPERATOR, person="operator-ono")

    assert not (tmp_path / "keys").exists()


def test_beside_an_issuers_keys_there_are_no_development_tokens(guarded: Settings) -> None:
    with pytest.raises(DevelopmentOnly, match="TSUZURI_JWKS_FILE"):
        development_token(guarded, role=Role.OPERATOR, person="operator-ono")


def test_a_development_token_made_earlier_is_worth_nothing_once_an_issuers_keys_are_given(
    tmp_path: Path,
) -> None:
    before = at_home(tmp_path, TSUZURI_MODE="development")
    token = development_token(before, role=Role.AUDITOR, person="auditor-abe")
    assert recognised(identity_of(before), token)

    (tmp_path / "jwks.json").write_text(json.dumps(PUBLIC))
    after = at_home(tmp_path, TSUZURI_MODE="development", TSUZURI_JWKS_FILE=str(tmp_path / "jwks.json"))

    with pytest.raises(TokenRefused):
        recognised(identity_of(after), token)


def test_production_without_an_issuers_keys_recognises_nobody_and_says_so(tmp_path: Path) -> None:
    development_token(at_home(tmp_path, TSUZURI_MODE="development"), role=Role.AUDITOR, person="auditor-abe")

    with pytest.raises(SettingsWrong, match="neither TSUZURI_OIDC_DISCOVERY nor TSUZURI_JWKS_FILE is set"):
        identity_of(production(tmp_path))


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.SYSTEM, Role.PATIENT])
def test_a_development_token_that_nobody_could_use_is_not_made(tmp_path: Path, role: Role) -> None:
    with pytest.raises(IncompleteCaller):
        development_token(at_home(tmp_path, TSUZURI_MODE="development"), role=role, person="somebody")


# --- the issuer's keys


def test_production_knows_callers_by_the_issuers_keys(tmp_path: Path) -> None:
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps(PUBLIC))
    settings = production(tmp_path, TSUZURI_JWKS_FILE=str(file))

    caller = recognised(
        identity_of(settings), made(CLAIMS | {"exp": NOW + 600, "role": "PATIENT", "patient": str(PATIENT)})
    )

    assert caller.patient == PATIENT


def test_the_issuers_keys_are_not_where_the_setting_says(tmp_path: Path) -> None:
    settings = production(tmp_path, TSUZURI_JWKS_FILE=str(tmp_path / "absent.json"))

    with pytest.raises(SettingsWrong, match="TSUZURI_JWKS_FILE: .*absent.json cannot be read"):
        identity_of(settings)


@pytest.mark.parametrize("content", ["", "{", "\xff", '{"keys": [{"kty": "rubbish"}]}'])
def test_what_is_not_a_key_set_is_refused_at_the_start(tmp_path: Path, content: str) -> None:
    file = tmp_path / "jwks.json"
    file.write_bytes(content.encode("latin-1"))

    with pytest.raises(SettingsWrong, match="TSUZURI_JWKS_FILE: the file is not a JSON Web Key Set"):
        identity_of(production(tmp_path, TSUZURI_JWKS_FILE=str(file)))
