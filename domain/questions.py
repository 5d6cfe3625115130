"""監査の定型質問: the questions that auditors ask, by name, each with what it asks for and what it says of itself."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from tsuzuri.domain.vocabulary import Language

MINUTES_USUAL, MINUTES_MAX = 5, 24 * 60


class Question(StrEnum):
    """What can be asked."""

    WHO_SAW = "WHO_SAW"
    WITHOUT_BASIS = "WITHOUT_BASIS"
    EMERGENCY_WITHOUT_ENCOUNTER = "EMERGENCY_WITHOUT_ENCOUNTER"
    MANY_PATIENTS = "MANY_PATIENTS"
    OWN_FAMILY_NAME = "OWN_FAMILY_NAME"
    OFF_HOURS = "OFF_HOURS"
    UNINFORMED_SEEN = "UNINFORMED_SEEN"
    BUNDLES_NOT_KEPT = "BUNDLES_NOT_KEPT"
    SEEN_AT = "SEEN_AT"
    SUPERSEDED_SEEN = "SUPERSEDED_SEEN"


class Parameter(StrEnum):
    """What a question may ask for."""

    PATIENT = "PATIENT"
    PERSON = "PERSON"
    FACILITY = "FACILITY"
    DOCUMENT = "DOCUMENT"
    FROM = "FROM"
    TO = "TO"
    AT = "AT"
    MINUTES = "MINUTES"


class QuestionUnfit(ValueError):
    """A question without what it needs, or with what it does not ask for; the message says which."""


@dataclass(frozen=True, kw_only=True)
class SavedQuestion:
    """One question of the catalogue."""

    name: Question
    needs: tuple[Parameter, ...]
    takes: tuple[Parameter, ...]  # what may be left out
    words: Mapping[Language, str]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question with its parameters. Moments are aware."""

    question: Question
    patient: UUID | None = None
    person: str | None = None
    facility: str | None = None  # 医療機関番号
    document: UUID | None = None
    since: datetime | None = None  # inclusive
    until: datetime | None = None  # exclusive
    at: datetime | None = None
    minutes: int | None = None  # how long before and after `at`

    def given(self) -> dict[Parameter, object]:
        """What is said, by parameter."""
        said = {
            Parameter.PATIENT: self.patient,
            Parameter.PERSON: self.person,
            Parameter.FACILITY: self.facility,
            Parameter.DOCUMENT: self.document,
            Parameter.FROM: self.since,
            Parameter.TO: self.until,
            Parameter.AT: self.at,
            Parameter.MINUTES: self.minutes,
        }
        return {name: value for name, value in said.items() if value is not None}

    def around(self) -> tuple[datetime, datetime]:
        """From when to when a moment is looked at."""
        assert self.at is not None, "`checked` has seen that it is given"
        near = timedelta(minutes=MINUTES_USUAL if self.minutes is None else self.minutes)
        return self.at - near, self.at + near


_PERIOD = (Parameter.FROM, Parameter.TO)
_WHOSE = (Parameter.PERSON, Parameter.FACILITY)


def _saved(
    name: Question, needs: Iterable[Parameter], takes: Iterable[Parameter], english: str, japanese: str
) -> SavedQuestion:
    words = {Language.EN: english, Language.JA: japanese}
    return SavedQuestion(name=name, needs=tuple(needs), takes=tuple(takes), words=words)


CATALOGUE: Mapping[Question, SavedQuestion] = {
    one.name: one
    for one in (
        _saved(
            Question.WHO_SAW,
            [Parameter.PATIENT],
            [*_WHOSE, *_PERIOD],
            "Who saw this patient's record, or was refused, in this period, and on what basis?",
            "この患者の記録を、この期間に、誰がどの根拠で閲覧したか(拒否されたものを含む)。",
        ),
        _saved(
            Question.WITHOUT_BASIS,
            _PERIOD,
            [Parameter.PATIENT, *_WHOSE],
            "Which reads had no basis in force at that moment? Each is decided again on the log: on what it cites, "
            "and on what stood in the log when it was recorded.",
            "その時点で有効な根拠のない閲覧はどれか。引用された同意等と、記録時点のログの両方にもとづき再判定する。",
        ),
        _saved(
            Question.EMERGENCY_WITHOUT_ENCOUNTER,
            [],
            [*_WHOSE, *_PERIOD],
            "Which emergencies were read under without a later encounter of the patient at that facility?",
            "救急時の閲覧のうち、その医療機関での受診等の記録が後にないものはどれか。",
        ),
        _saved(
            Question.MANY_PATIENTS,
            [],
            [*_WHOSE, *_PERIOD],
            "Who read unusually many patients of whom the facility knows no encounter?",
            "当該施設での受診等の記録がない患者を、通常より多く閲覧した者は誰か。",
        ),
        _saved(
            Question.OWN_FAMILY_NAME,
            [],
            [*_WHOSE, *_PERIOD],
            "Who read patients of the own family name without an encounter?",
            "自分と同じ姓の患者を、受診等の記録なく閲覧した者は誰か。",
        ),
        _saved(
            Question.OFF_HOURS,
            [],
            [*_WHOSE, *_PERIOD],
            "Who read while the facility was closed, without an encounter that explains it?",
            "診療時間外に、受診等の記録なく閲覧した者は誰か。",
        ),
        _saved(
            Question.UNINFORMED_SEEN,
            _PERIOD,
            [Parameter.PATIENT, *_WHOSE],
            "Which reads showed conditions while one was marked 未告知 (the patient has not been told) that the reader "
            "could see?",
            "未告知の傷病名が見える状態で、傷病名を表示した閲覧はどれか。",
        ),
        _saved(
            Question.BUNDLES_NOT_KEPT,
            _PERIOD,
            [Parameter.FACILITY],
            "How many Bundles of each facility were rejected or cancelled, and by which rules?",
            "医療機関ごとに、受付を拒否されたBundleと取り消されたBundleは何件か。拒否の規則はどれか。",
        ),
        _saved(
            Question.SEEN_AT,
            [Parameter.PERSON, Parameter.AT],
            [Parameter.MINUTES, Parameter.FACILITY],
            "What did this person see around this moment? Replay each access to see it again.",
            "この者は、この時刻の前後に何を閲覧したか。各閲覧は再現できる。",
        ),
        _saved(
            Question.SUPERSEDED_SEEN,
            [Parameter.PATIENT],
            [Parameter.DOCUMENT, *_WHOSE, *_PERIOD],
            "Who saw what a facility has since replaced or cancelled, while it stood? `toTell`: whom to tell of the "
            "correction.",
            "後に変更または取消された記録を、それ以前に誰が閲覧したか。訂正を知らせるべき相手は誰か。",
        ),
    )
}
"""One more question is one more line here, and one more in app/questions."""


def checked(asked: Asked) -> Asked:
    """Raises QuestionUnfit."""
    saved, given = CATALOGUE[asked.question], asked.given()
    if lacking := [one for one in saved.needs if one not in given]:
        raise QuestionUnfit(f"{asked.question} asks for {_named(lacking)}: say that too")
    if beside := [one for one in given if one not in (*saved.needs, *saved.takes)]:
        raise QuestionUnfit(f"{asked.question} does not ask for {_named(beside)}: leave that out")
    if asked.since is not None and asked.until is not None and asked.since >= asked.until:
        raise QuestionUnfit("the period ends before it begins: from comes before to")
    if asked.minutes is not None and not 0 <= asked.minutes <= MINUTES_MAX:
        raise QuestionUnfit(f"minutes are from 0 to {MINUTES_MAX}")
    return asked


def _named(parameters: Iterable[Parameter]) -> str:
    return ", ".join(one.lower() for one in parameters)
