"""The words of replays, English and Japanese side by side."""

from tsuzuri.domain.replays import Hindrance, Replay, Verdict
from tsuzuri.domain.vocabulary import Language

VERDICTS: dict[Verdict, tuple[str, str]] = {
    Verdict.SAME_ANSWER: (
        "The replay gives the recorded answer, digest for digest.",
        "再現した回答のダイジェストは記録と一致します。",
    ),
    Verdict.SAME_ENTRIES: (
        "The same entries are shown; the answer is written otherwise, as the changes named below explain.",
        "表示された情報は記録と一致します。回答の書き方は、下記の変更により異なります。",
    ),
    Verdict.SAME_REFUSAL: ("It is refused again, as it was recorded.", "記録のとおり、再び拒否されます。"),
    Verdict.VERSION_CHANGED: (
        "Other entries are shown: the versions named below are others than then.",
        "表示される情報が記録と異なります。下記の版が当時と異なります。",
    ),
    Verdict.ERASED: (
        "What was shown has been erased in part or in whole, as named below.",
        "表示された情報の一部または全部が、下記のとおり消去されています。",
    ),
    Verdict.NOT_COMPARABLE: (
        "There was no whole answer then, so there is nothing to compare with.",
        "当時の回答は完全ではなかったため、比較できません。",
    ),
    Verdict.NOT_REPLAYABLE: ("It cannot be run again.", "再現できません。"),
    Verdict.DIFFERENT: (
        "NOT what was recorded, and nothing explains it: look into it now.",
        "記録と一致せず、説明できる変更もありません。ただちに調査してください。",
    ),
}
HINDRANCES: dict[Hindrance, tuple[str, str]] = {
    Hindrance.TRAIL_READ: (
        "It was a look at the trail, which has gone on since; no record was read.",
        "監査証跡の閲覧であり、診療情報は閲覧されていません。",
    ),
    Hindrance.WATCH: (
        "Somebody was told that the record had changed, and nothing of what it holds.",
        "記録が変わったことだけが通知され、内容は示されていません。",
    ),
    Hindrance.OVER_PATIENTS: (
        "It was one list over several patients; the others on it are not in this one's trail.",
        "複数の患者にわたる一覧であり、他の患者の分はこの証跡に含まれません。",
    ),
    Hindrance.NOT_A_QUERY: (
        "It was read on the way to a change, which is not made twice.",
        "変更に伴う閲覧であり、変更を再び行うことはできません。",
    ),
    Hindrance.NOT_KEPT: (
        "It was recorded before what a replay needs was kept.",
        "再現に必要な情報を記録していなかった時期の閲覧です。",
    ),
    Hindrance.DOCUMENT_NOT_KEPT: (
        "Its document is not kept: it was too long, or named several patients in its text.",
        "照会文書が保存されていません（長すぎるか、文中に複数の患者を含みます）。",
    ),
    Hindrance.VARIABLES_NOT_KEPT: (
        "Its variables are not kept: they were too long, or named several patients otherwise than by key.",
        "変数が保存されていません（長すぎるか、複数の患者を含みます）。",
    ),
    Hindrance.ACCESS_ERASED: ("The access itself has been erased.", "この閲覧記録自体が消去されています。"),
    Hindrance.EVENT_UNREADABLE: (
        "An event of the record cannot be applied by this program: see tsuzuri projections quarantine.",
        "このプログラムで適用できないイベントがあります。",
    ),
    Hindrance.CONSENTS_ERASED: (
        "The consents that the refusal rested on have been erased.",
        "拒否の根拠となった同意の記録が消去されています。",
    ),
}


def sentences(replay: Replay, language: Language) -> list[str]:
    """The verdict, and what hindered it."""
    place = int(language is Language.JA)
    said = [VERDICTS[replay.verdict][place]]
    return said if replay.hindrance is None else [*said, HINDRANCES[replay.hindrance][place]]
