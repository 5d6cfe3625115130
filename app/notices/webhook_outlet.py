"""Notices as POSTs of JSON to an address of the operator's, which tells the patient."""

from collections.abc import Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPMessage
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from tsuzuri.app.notices.outlet import NoticeNotTaken, OutletDown, as_json
from tsuzuri.app.settings import SettingsWrong, read_secret
from tsuzuri.domain.notices import Notice

URL_SETTING, TOKEN_SETTING = "TSUZURI_NOTICE_URL", "TSUZURI_NOTICE_TOKEN_FILE"
TIMEOUT_SECONDS = 10.0
_NOT_TAKEN = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT, HTTPStatus.GONE, HTTPStatus.UNPROCESSABLE_ENTITY}
)
"""What an address answers that would take another notice. Everything else that is no success is about the address."""


class WebhookOutlet:
    """Implements tsuzuri.app.notices.outlet.Outlet. Any 2xx means: taken for good.

    *url*: https, or http of this machine (see tsuzuri.app.settings).
    """

    def __init__(self, url: str, token_file: Path | None) -> None:
        self.url = url
        self._token_file = token_file
        here = urlsplit(url).scheme == "http"  # the proxy of the environment is for addresses elsewhere
        self._opener = build_opener(_NoRedirects, *([ProxyHandler({})] if here else []))

    def deliver(self, notice: Notice) -> None:
        request = Request(self.url, as_json(notice), self._headers(notice), method="POST")
        try:
            with self._opener.open(request, timeout=TIMEOUT_SECONDS):
                return
        except HTTPError as answer:
            answer.close()
            status = answer.code
        except (OSError, HTTPException) as error:
            raise OutletDown(f"{URL_SETTING}: no answer ({type(error).__name__})") from None
        if status in _NOT_TAKEN:
            raise NoticeNotTaken(f"{URL_SETTING}: the answer to this notice was {status}")
        raise OutletDown(f"{URL_SETTING}: the answer was {status}")

    def _headers(self, notice: Notice) -> Mapping[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": str(notice.id),
            "User-Agent": "tsuzuri",
        }
        if self._token_file is not None:  # read anew each time: it may be renewed while we run
            try:
                token = read_secret(self._token_file, TOKEN_SETTING).decode("ascii").strip()
            except (SettingsWrong, UnicodeDecodeError):
                raise OutletDown(f"{TOKEN_SETTING}: {self._token_file} cannot be read") from None
            headers["Authorization"] = f"Bearer {token}"
        return headers


class _NoRedirects(HTTPRedirectHandler):
    """A notice and its token go to the address that was set, to no other."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None
