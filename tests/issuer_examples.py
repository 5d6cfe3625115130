"""A token issuer that publishes its keys on this machine, and a clock that stands still."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc.jwk import ECKey

from token_examples import CLAIMS, HEADER, by, made

CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/keys"


class Issuer:
    """What it answers to each path: an object as JSON, or (status, headers, body)."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.asked: list[str] = []
        self.answers: dict[str, Any] = {
            CONFIGURATION: {"issuer": self.address, "jwks_uri": f"{self.address}{KEYS}"}
        }
        self.publish()

    @property
    def times_asked(self) -> int:
        """For its keys."""
        return self.asked.count(KEYS)

    def publish(self, *keys: ECKey) -> None:
        self.answers[KEYS] = {"keys": [key.as_dict(private=False) for key in keys]}

    def fail(self, status: int = 500) -> None:
        self.answers[KEYS] = (status, {}, b"")

    def token(self, key: ECKey, **changes: Any) -> str:
        header = HEADER | {"kid": key.kid}
        return made(CLAIMS | {"iss": self.address} | changes, header, by(key))


def a_key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid})


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


@contextmanager
def an_issuer() -> Iterator[Issuer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked.append(self.path)
            answer = issuer.answers.get(self.path, (404, {}, b""))
            status, headers, body = (
                answer if isinstance(answer, tuple) else (200, {}, json.dumps(answer).encode())
            )
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer = Issuer(server.server_port)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
