"""What a rule is, and what is told of one that is broken."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tsuzuri.domain.rules.resources import Resource


class Severity(StrEnum):
    """An error keeps a Bundle out; a warning is told and changes nothing."""

    ERROR = "error"
    WARNING = "warning"


class Guide(StrEnum):
    """A guide in one of its versions. What holds in FHIR R4 holds under every policy."""

    FHIR_R4 = "fhir-r4"
    JP_CORE = "jp-core"
    CLINS_1_5 = "clins-1.5"
    CLINS_1_10 = "clins-1.10"
    CHECKUP_1_5 = "checkup-1.5"
    REFERRAL_0_9 = "referral-0.9"


class Language(StrEnum):
    """Whom a message is for."""

    EN = "en"
    JA = "ja"


@dataclass(frozen=True)
class Words:
    """One sentence in both languages. It names elements and fixed codes, never what a sender wrote."""

    en: str
    ja: str

    def told(self, language: Language) -> str:
        return self.ja if language is Language.JA else self.en


@dataclass(frozen=True, kw_only=True, eq=False)
class Rule:
    """One demand on one kind of thing.

    `on`: what it is asked of: a resource type, a profile of that type, "JP_Bundle_CLINS > Condition" for an entry of
    such a Bundle, "*" for every resource. `broken` gives the places where it is broken, as FHIR paths. `only_with`:
    a resource with none of these elements cannot break it, and is not asked.
    """

    id: str  # R…: the guide's own number; T…: ours
    on: tuple[str, ...]
    path: str  # what it speaks of
    holds: Mapping[Guide, Severity]
    broken: Callable[[Resource], Iterable[str]]
    message: Words
    fix: Words
    only_with: frozenset[str] = frozenset()  # none: every resource is asked


def errors(*guides: Guide) -> Mapping[Guide, Severity]:
    """It holds in these guides, as an error."""
    return dict.fromkeys(guides, Severity.ERROR)


def warnings(*guides: Guide) -> Mapping[Guide, Severity]:
    """It holds in these guides, as a warning."""
    return dict.fromkeys(guides, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Broken:
    """One place where one rule is broken. Plain values only: it may cross to another process."""

    rule: str
    severity: Severity
    path: str  # "Bundle.entry[4].resource.code.coding"
    message: Words
    fix: Words
