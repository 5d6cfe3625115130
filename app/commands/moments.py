"""Moments and ids as somebody at the machine writes them."""

from datetime import datetime, timedelta, timezone

import typer

_JAPAN = timezone(timedelta(hours=9))


def japanese_moment(text: str | None) -> datetime | None:
    """2027-04-01, or 2027-04-01T09:00:00+09:00; without an offset it is one in Japan. Raises typer.BadParameter."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("a moment is 2027-04-01 or 2027-04-01T09:00:00+09:00") from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=_JAPAN)
