"""Key-encryption keys from a provider that is named, instead of a file."""

from pathlib import Path

import pytest

from log_examples import settings_at
from tsuzuri.app.key_file import KeyFile, new_epoch
from tsuzuri.app.keys import key_encryption
from tsuzuri.app.settings import SettingsWrong

PROVIDER = """
from tsuzuri.app.key_file import KeyFile
def keys(settings):
    return KeyFile(settings.home / "provided.keys")
"""


def test_a_provider_takes_the_place_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "some_provider.py").write_text(PROVIDER)
    (tmp_path / "provided.keys").write_text(new_epoch(1).line())
    monkeypatch.syspath_prepend(tmp_path)

    provided = key_encryption(settings_at(tmp_path, TSUZURI_KEY_PROVIDER="some_provider:keys"))

    assert (
        provided.unwrap(*KeyFile(tmp_path / "provided.keys").wrap(b"secret", b"about"), b"about") == b"secret"
    )


@pytest.mark.parametrize(
    "named", ["no_such_module:keys", "os:no_such_name", "os", "os:", ":keys", "os:sep", ".os:getpid"]
)
def test_a_provider_that_cannot_be_used_is_named(tmp_path: Path, named: str) -> None:
    with pytest.raises(SettingsWrong) as wrong:
        key_encryption(settings_at(tmp_path, TSUZURI_KEY_PROVIDER=named))

    assert str(wrong.value).startswith(f"TSUZURI_KEY_PROVIDER: {named} cannot be used")
