"""Which part of a record is asked for. Filters choose among the rows that a reading may show, and know of no others."""

from collections.abc import Sequence

import strawberry

from tsuzuri.graphql.context import RequestRefused
from tsuzuri.graphql.enums import DocumentKind, Flag, RecordClass
from tsuzuri.graphql.inputs import Period
from tsuzuri.graphql.statements import among, between, contains, none_of, one_of, overlaps
from tsuzuri.projections.sql import Composed

TEXT_MIN = 2  # characters: one alone is in nearly every name


@strawberry.input(description="Which marks entries have. What is left out does not restrict.")
class FlagFilter:
    any_of: list[Flag] | None = strawberry.field(default=None, description="At least one of these.")
    none_of: list[Flag] | None = strawberry.field(default=None, description="None of these.")


@strawberry.input(description="Which entries. What is left out does not restrict.")
class EntryFilter(Period):
    classes: list[RecordClass] | None = strawberry.field(default=None, description="情報の種類.")
    codes: list[str] | None = strawberry.field(default=None, description='Codes: "code" or "system|code".')
    groups: list[str] | None = strawberry.field(
        default=None,
        description='項目: results of these groups, by id or by a code of theirs: "HBA1C" (see labSeries).',
    )
    facilities: list[str] | None = strawberry.field(default=None, description="医療機関番号.")
    text: str | None = strawberry.field(
        default=None, description="Part of the name, 2 characters or more; in capitals or not, 全角 or 半角."
    )
    flags: FlagFilter | None = strawberry.field(default=None, description="長期保存, 未告知, 未提供.")
    document_kinds: list[DocumentKind] | None = strawberry.field(
        default=None, description="文書種別 of the Bundle that brought them."
    )

    def where(self, analytes: Sequence[str] | None) -> list[Composed]:
        """*analytes*: what the groups mean under the release of the generation that is read. Raises RequestRefused."""
        conditions = between("sort_at", self.start, self.end)
        conditions += _among("record_class", self.classes)
        conditions += [overlaps("codes", self.codes)] if self.codes is not None else []
        conditions += _in("analyte", analytes)
        conditions += _in("facility", self.facilities)
        conditions += _part_of("name", self.text)
        if self.flags is not None and self.flags.any_of is not None:
            conditions.append(overlaps("flags_now", self.flags.any_of))
        if self.flags is not None and self.flags.none_of is not None:
            conditions.append(none_of("flags_now", self.flags.none_of))
        return conditions + _in("document_kind", self.document_kinds)


@strawberry.input(description="Which documents. What is left out does not restrict.")
class DocumentFilter(Period):
    kinds: list[DocumentKind] | None = strawberry.field(default=None, description="文書種別.")
    classes: list[RecordClass] | None = strawberry.field(default=None, description="情報の種類.")
    facilities: list[str] | None = strawberry.field(
        default=None, description="医療機関番号: who registered them."
    )
    text: str | None = strawberry.field(
        default=None, description="Part of the title, 2 characters or more; in capitals or not, 全角 or 半角."
    )

    def where(self) -> list[Composed]:
        """Raises RequestRefused."""
        conditions = between("sort_at", self.start, self.end)
        conditions += _in("kind", self.kinds) + _among("record_class", self.classes)
        return conditions + _in("facility", self.facilities) + _part_of("title", self.text)


@strawberry.input(description="Which part of the timeline. What is left out does not restrict.")
class TimelineFilter(Period):
    classes: list[RecordClass] | None = strawberry.field(default=None, description="情報の種類.")

    def where(self) -> list[Composed]:
        """Of entries and of documents alike. Raises RequestRefused."""
        return between("sort_at", self.start, self.end) + _among("record_class", self.classes)


def _in(column: str, values: Sequence[str] | None) -> list[Composed]:
    return [] if values is None else [one_of(column, values)]


def _among(column: str, values: Sequence[str] | None) -> list[Composed]:
    return [] if values is None else [among(column, values)]


def _part_of(column: str, text: str | None) -> list[Composed]:
    """No index helps: it is asked of one patient's rows, which are few."""
    if text is None:
        return []
    if len(text.strip()) < TEXT_MIN:
        raise RequestRefused("BAD_INPUT", f"text holds at least {TEXT_MIN} characters")
    return [contains(column, text.strip())]
