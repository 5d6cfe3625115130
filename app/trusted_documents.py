"""Trusted documents: operations in a folder, each with a card beside it, that clients ask for by their digest.

`summary.graphql` holds one operation, `summary.json` its card. The digest is the SHA-256 of the file as it lies there.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any

import orjson
from strawberry import Schema

from tsuzuri.app.edge import EdgeRefused
from tsuzuri.app.settings import SettingsWrong
from tsuzuri.domain.vocabulary import PurposeOfUse, RecordClass, Role
from tsuzuri.graphql.cards import Card, differences
from tsuzuri.graphql.preparing import DocumentRefused, Prepared, prepare

SHIPPED = Path(str(files("tsuzuri.app").joinpath("documents")))
_PREFIX = "sha256:"


class CardWrong(Exception):
    """A document cannot be trusted; the message says why, in lines."""


@dataclass(frozen=True)
class TrustedDocuments:
    """What a server trusts, by sha256 (hex)."""

    texts: Mapping[str, str] = field(default_factory=dict)
    cards: Mapping[str, Card] = field(default_factory=dict)

    def text_of(self, request: Mapping[str, Any]) -> str:
        """The document that a GraphQL request asks for: its "query", or the trusted one that its digest names.

        "documentId" is that of github.com/graphql/graphql-over-http/pull/264, "extensions.persistedQuery" that of
        Apollo's clients. Raises EdgeRefused.
        """
        text, digest = request.get("query"), _digest(request)
        if digest is None:
            if not isinstance(text, str):
                raise EdgeRefused(400, "BAD_BODY", 'the body has a "query", which is text, or a "documentId"')
            return text
        if text is not None and not (isinstance(text, str) and _sha256(text) == digest):
            raise EdgeRefused(400, "BAD_BODY", '"query" is not the document that is named beside it')
        trusted = self.texts.get(digest) if text is None else text
        if trusted is None:
            raise EdgeRefused(400, "DOCUMENT_NOT_REGISTERED", "no document is registered here under that id")
        return trusted


def _digest(request: Mapping[str, Any]) -> str | None:
    """The sha256 that a request names its document by (hex); "" for an id of another kind. Raises EdgeRefused."""
    named = request.get("documentId")
    extensions = request.get("extensions")
    persisted = extensions.get("persistedQuery") if isinstance(extensions, Mapping) else None
    if named is None and isinstance(persisted, Mapping):
        named = f"{_PREFIX}{persisted.get('sha256Hash')}"
    if named is None:
        return None
    if not isinstance(named, str):
        raise EdgeRefused(400, "BAD_BODY", '"documentId" is text')
    return named.removeprefix(_PREFIX).lower() if named.startswith(_PREFIX) else ""


def _sha256(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def load_documents(folder: Path, schema: Schema) -> TrustedDocuments:
    """Raises SettingsWrong: a card says less than its document does, and nothing of the folder is trusted."""
    texts, cards = {}, {}
    for file in graphql_files(folder):
        try:
            prepared, card = checked(file, schema)
        except CardWrong as wrong:
            raise SettingsWrong(
                f"TSUZURI_DOCUMENTS: {file.name}: {wrong}; see: tsuzuri documents check"
            ) from None
        texts[prepared.sha256] = prepared.document
        cards[prepared.sha256] = card
    return TrustedDocuments(texts, cards)


def graphql_files(path: Path) -> Iterator[Path]:
    """A file, or those of a folder. Raises SettingsWrong."""
    found = [path] if path.is_file() else sorted(path.glob("*.graphql"))
    if not found:
        raise SettingsWrong(f"{path} holds no file whose name ends in .graphql")
    yield from found


def checked(file: Path, schema: Schema) -> tuple[Prepared, Card]:
    """A document and its card, which says what the document does. Raises CardWrong."""
    prepared, card = prepared_file(file, schema), read_card(file.with_suffix(".json"))
    if wrong := differences(card, prepared):
        raise CardWrong("\n".join(wrong))
    return prepared, card


def prepared_file(file: Path, schema: Schema) -> Prepared:
    """Raises CardWrong."""
    try:
        return prepare(schema, file.read_bytes().decode())
    except DocumentRefused as refused:
        raise CardWrong("\n".join(error.message for error in refused.errors)) from None
    except OSError as error:
        raise CardWrong(f"it cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise CardWrong("it is not UTF-8") from None


def read_card(file: Path) -> Card:
    """Raises CardWrong."""
    try:
        said = orjson.loads(file.read_bytes())
        if not isinstance(said, dict) or said.keys() != Card.__annotations__.keys():
            raise CardWrong(f"{file.name} is an object with {', '.join(Card.__annotations__)}")
        if not all(isinstance(said[name], str) and said[name] for name in ("name", "about", "sha256")):
            raise CardWrong(f"{file.name}: name, about and sha256 are text")
        if not isinstance(said["cost"], int) or isinstance(said["cost"], bool):
            raise CardWrong(f"{file.name}: cost is a number")
        return Card(
            name=said["name"],
            about=said["about"],
            sha256=said["sha256"],
            roles=frozenset(map(Role, said["roles"])),
            purposes=frozenset(map(PurposeOfUse, said["purposes"])),
            classes=frozenset(map(RecordClass, said["classes"])),
            cost=said["cost"],
        )
    except OSError as error:
        raise CardWrong(f"{file.name} cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):
        raise CardWrong(f"{file.name} is not JSON, or names what there is not") from None


def card_json(card: Card) -> bytes:
    """As it lies in a file."""
    said = {name: getattr(card, name) for name in Card.__annotations__}
    listed = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in said.items()}
    return orjson.dumps(listed, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
