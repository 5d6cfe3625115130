"""What the outlets do with a notice: whole lines on disk, and POSTs that carry their id and go nowhere else."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from uuid import UUID, uuid4

import pytest

from examples import EVENT, HOSPITAL, NOON, PATIENT
from notice_examples import lines
from tsuzuri.app.notices.file_outlet import FileOutlet
from tsuzuri.app.notices.outlet import NoticeNotTaken, OutletDown
from tsuzuri.app.notices.webhook_outlet import WebhookOutlet
from tsuzuri.domain.notices import Notice, NoticeKind
from tsuzuri.domain.vocabulary import Role

NOTICE = Notice(
    id=EVENT,
    kind=NoticeKind.EMERGENCY_DECLARED,
    patient=PATIENT,
    facility=HOSPITAL,
    role=Role.CLINICIAN,
    at=NOON,
    until=NOON,
    emergency=EVENT,
)
TOLD = {
    "id": str(EVENT),
    "kind": "EMERGENCY_DECLARED",
    "patient": str(PATIENT),
    "facility": HOSPITAL,
    "role": "CLINICIAN",
    "at": "2026-11-22T03:00:00Z",
    "until": "2026-11-22T03:00:00Z",
    "emergency": str(EVENT),
}


def test_a_line_of_json_for_each_notice_that_only_its_owner_may_read(tmp_path: Path) -> None:
    file = tmp_path / "home" / "notices.ndjson"
    outlet = FileOutlet(file)

    outlet.deliver(NOTICE)
    outlet.deliver(replace(NOTICE, id=PATIENT))

    assert lines(file) == [TOLD, {**TOLD, "id": str(PATIENT)}]
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("torn", [b'{"id":"eeee', b"x" * 10_000, json.dumps(TOLD).encode()])
def test_half_a_line_is_cut_off_before_the_next(tmp_path: Path, torn: bytes) -> None:
    """Its notice did not count as delivered, so it comes again, even when only the end of the line was missing."""
    file = tmp_path / "notices.ndjson"
    FileOutlet(file).deliver(NOTICE)
    whole = file.read_bytes()
    for before in (b"", whole, whole * 50):
        file.write_bytes(before + torn)

        FileOutlet(file).deliver(NOTICE)

        assert file.read_bytes() == before + whole


def test_many_at_once_leave_whole_lines_and_a_file_may_be_moved_away_between_them(tmp_path: Path) -> None:
    file = tmp_path / "notices.ndjson"
    ids = [uuid4() for _ in range(200)]

    def deliver(one: UUID) -> None:
        if one in ids[::40] and file.exists():
            os.replace(file, tmp_path / f"moved-{one}.ndjson")
        FileOutlet(file).deliver(replace(NOTICE, id=one))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(deliver, ids))

    told = [line["id"] for path in tmp_path.glob("*.ndjson") for line in lines(path)]
    assert {UUID(one) for one in told} == set(ids)


def test_a_file_that_cannot_be_written_is_an_outlet_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "notices.ndjson").mkdir()

    with pytest.raises(OutletDown, match=r"notices\.ndjson cannot be written \(Is a directory\)"):
        FileOutlet(tmp_path / "notices.ndjson").deliver(NOTICE)


@dataclass
class Receiver:
    """Answers each POST with the next of *answers*, or 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    bodies: list[dict[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.bodies.append(json.loads(body))
            found.headers.append(dict(self.headers))
            found.paths.append(self.path)
            status = found.answers.pop(0) if found.answers else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/notices"
        serving = Thread(target=server.serve_forever)
        serving.start()
        yield found
        server.shutdown()
        serving.join()


def test_a_notice_is_posted_with_its_id_and_the_token_of_the_file_as_it_is_now(
    receiver: Receiver, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("first\n")
    outlet = WebhookOutlet(receiver.url, token)

    outlet.deliver(NOTICE)
    token.write_text("second\n")
    outlet.deliver(NOTICE)
    WebhookOutlet(receiver.url, None).deliver(NOTICE)

    assert receiver.bodies == [TOLD] * 3
    assert [one["Idempotency-Key"] for one in receiver.headers] == [str(EVENT)] * 3
    assert {one["Content-Type"] for one in receiver.headers} == {"application/json"}
    assert [one.get("Authorization") for one in receiver.headers] == ["Bearer first", "Bearer second", None]


@pytest.mark.parametrize("status", [400, 409, 410, 422])
def test_what_is_wrong_with_one_notice_is_told_apart(receiver: Receiver, status: int) -> None:
    receiver.answers = [status]

    with pytest.raises(NoticeNotTaken, match=f"the answer to this notice was {status}"):
        WebhookOutlet(receiver.url, None).deliver(NOTICE)


@pytest.mark.parametrize("status", [301, 302, 307, 308, 401, 403, 404, 429, 500, 503])
def test_every_other_answer_keeps_all_waiting_and_a_redirect_is_not_followed(
    receiver: Receiver, status: int
) -> None:
    receiver.answers = [status]

    with pytest.raises(OutletDown, match=f"TSUZURI_NOTICE_URL: the answer was {status}"):
        WebhookOutlet(receiver.url, None).deliver(NOTICE)
    assert receiver.paths == ["/notices"]


def test_nobody_there_and_a_token_that_cannot_be_read_say_what_to_mend(tmp_path: Path) -> None:
    with pytest.raises(OutletDown, match="TSUZURI_NOTICE_URL: no answer"):
        WebhookOutlet("http://127.0.0.1:1/", None).deliver(NOTICE)
    with pytest.raises(OutletDown, match=r"TSUZURI_NOTICE_TOKEN_FILE: .*missing cannot be read"):
        WebhookOutlet("http://127.0.0.1:1/", tmp_path / "missing").deliver(NOTICE)
