"""What one release says otherwise than another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from tsuzuri.domain.codes import CodeEntry, Release

Changed = tuple[CodeEntry, CodeEntry]
"""As it was, and as it would be."""


@dataclass(frozen=True)
class CodeChanges:
    """A new release against an old one. One code may stand in several lists."""

    added: Sequence[CodeEntry]
    removed: Sequence[CodeEntry]
    validity: Sequence[Changed]  # ended, mostly
    display: Sequence[Changed]
    group: Sequence[Changed]
    record_class: Sequence[Changed]

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.validity, self.display, self.group, self.record_class))


def code_changes(old: Release, new: Release) -> CodeChanges:
    """Two entries are of one code when system, code and first day agree."""
    before, after = _by_key(old), _by_key(new)
    both = [(before[key], after[key]) for key in after if key in before]
    return CodeChanges(
        added=[entry for key, entry in after.items() if key not in before],
        removed=[entry for key, entry in before.items() if key not in after],
        validity=[(was, is_) for was, is_ in both if was.valid_to != is_.valid_to],
        display=[(was, is_) for was, is_ in both if was.display != is_.display],
        group=[(was, is_) for was, is_ in both if was.group != is_.group],
        record_class=[(was, is_) for was, is_ in both if was.record_class != is_.record_class],
    )


def _by_key(release: Release) -> dict[tuple[str, str, date | None], CodeEntry]:
    return {(entry.system, entry.code, entry.valid_from): entry for entry in release.entries}
