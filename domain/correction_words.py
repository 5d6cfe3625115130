"""Where a request stands, as a plain sentence."""

from tsuzuri.domain.vocabulary import CorrectionOutcome

_ANSWERS = {
    CorrectionOutcome.ACCEPTED: "医療機関は、応じると回答しました。記録の訂正や停止は、これから医療機関が行います。",
    CorrectionOutcome.PARTLY: "医療機関は、一部に応じると回答しました。理由をお読みください。",
    CorrectionOutcome.DECLINED: "医療機関は、応じないと回答しました。理由をお読みください。",
}
TAKEN_BACK = "この請求は取り下げられました。"


def answered(outcome: CorrectionOutcome) -> str:
    return _ANSWERS[outcome]


def waiting(days: int, limit_days: int) -> str:
    """*days*: since it was made; *limit_days*: from when on it is overdue."""
    if days >= limit_days:
        return f"{days}日たちましたが、医療機関の回答がありません。運営主体も確認できます。"
    return f"医療機関の回答を待っています（{days}日経過、めやす{limit_days}日）。"
