"""Dates as Japanese readers write them, in Japan's time."""

import re
from datetime import datetime

from tsuzuri.domain.fhir.elements import JAPAN, moment
from tsuzuri.domain.fhir.rejection import BundleRejected

_PARTIAL = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)


def in_words(at: datetime) -> str:
    """ "2026年1月2日 12:00", of an aware moment."""
    there = at.astimezone(JAPAN)
    return f"{day_in_words(at)} {there:%H:%M}"


def day_in_words(at: datetime) -> str:
    there = at.astimezone(JAPAN)
    return f"{there.year}年{there.month}月{there.day}日"


def sent_in_words(sent: str) -> str:
    """A date as it was sent, as exact as it was sent: "2018" is "2018年". What is no date stays as it is."""
    if partial := _PARTIAL.fullmatch(sent):
        return "".join(
            f"{int(part)}{unit}" for part, unit in zip(partial.groups(), "年月日", strict=True) if part
        )
    try:
        at = moment(sent, "a date")
    except BundleRejected:
        return sent
    return in_words(at) if at else sent
