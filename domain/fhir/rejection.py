"""The one exception of this room."""

from collections.abc import Sequence
from typing import Self

from tsuzuri.domain.rules.rule import Broken, Severity

_RULES_TOLD = 10


class BundleRejected(Exception):
    """A Bundle that can't be taken. Place and reason tell the sender what to mend, never a patient's value.

    `not_a_bundle`: valid JSON, but something else. `unreadable`: not even JSON that a reader may take.
    """

    def __init__(
        self,
        place: str,
        reason: str,
        *,
        not_a_bundle: bool = False,
        unreadable: bool = False,
        broken: Sequence[Broken] = (),
    ) -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place  # "line 3 column 14", "byte 1043", "Bundle.entry[4].resource.code"
        self.reason = reason
        self.not_a_bundle = not_a_bundle
        self.unreadable = unreadable
        self.broken = tuple(broken)  # every rule at every place, where it was the rules that it broke

    @classmethod
    def of_rules(cls, broken: Sequence[Broken]) -> Self:
        """For a Bundle that breaks rules, at least one of them an error; the reason names the first few."""
        errors = [one for one in broken if one.severity is Severity.ERROR]
        rules = list(dict.fromkeys(one.rule for one in errors))
        told = rules[:_RULES_TOLD] + [f"{len(rules) - _RULES_TOLD} more"] * (len(rules) > _RULES_TOLD)
        first = errors[0]
        reason = f"{first.message.en} (breaks {', '.join(told)}; `tsuzuri check` names every place)"
        return cls(first.path, reason, broken=broken)

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules that keep it out, each once."""
        return tuple(dict.fromkeys(one.rule for one in self.broken if one.severity is Severity.ERROR))

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.place, self.reason, self.not_a_bundle, self.unreadable, self.broken)


def _again(
    place: str, reason: str, not_a_bundle: bool, unreadable: bool, broken: tuple[Broken, ...]
) -> BundleRejected:
    """Rebuild it on the other side of a process boundary: Bundles are read in a worker."""
    return BundleRejected(place, reason, not_a_bundle=not_a_bundle, unreadable=unreadable, broken=broken)
