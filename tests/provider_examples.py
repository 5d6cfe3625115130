"""A real OpenID provider (npm `oidc-provider`), and what systems and viewers do to get a token of it."""

import json
import re
import secrets
import socket
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from joserfc.jwk import ECKey

from examples import CLINIC, HOSPITAL
from npm_packages import installed
from proof_examples import ath, proof_header
from token_examples import by, made

AUDIENCE = "https://records.example"
VIEWER, BACK = "hospital-viewer", "https://viewer.example/back"
PEOPLE = {
    "dr-hamada": {"role": "CLINICIAN", "facility": HOSPITAL, "amr": ["pwd", "otp", "mfa"]},
    "dr-hoka": {"role": "CLINICIAN", "facility": HOSPITAL, "amr": ["pwd"]},
}


def signing_key() -> ECKey:
    return ECKey.generate_key("P-256", {"kid": secrets.token_hex(4), "use": "sig", "alg": "ES256"})


@dataclass(frozen=True)
class System:
    """A clinic's system: the key that it signs in with, and the key that it proves to hold."""

    client_id: str
    bound: bool = True  # its tokens are, by a key that it proves to hold
    seconds: int = 300  # they last
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "client"}))
    holds: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    def proof(self, method: str, address: str, token: str | None = None, **changes: Any) -> str:
        claims = {"jti": secrets.token_hex(8), "htm": method, "htu": address, "iat": int(time.time())}
        claims |= {} if token is None else {"ath": ath(token)}
        return made(claims | changes, proof_header(self.holds), by(self.holds))


class Provider:
    """The provider, listening on a port of its own, until it is stopped; started again, with other keys if need be."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.discovery = f"{self.issuer}/.well-known/openid-configuration"
        self.keys = [signing_key()]
        self.systems = [
            System("clinic-system"),
            System("careless-system", bound=False),
            System("hasty-system", seconds=1),
        ]
        self._folder = installed(Path(__file__).parent / "oidc_provider")
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        told = {
            "port": self.port,
            "keys": [key.as_dict(private=True) for key in self.keys],
            "audience": AUDIENCE,
            "systems": [
                {
                    "client_id": system.client_id,
                    "bound": system.bound,
                    "seconds": system.seconds,
                    "facility": CLINIC,
                    "key": system.key.as_dict(private=False),
                }
                for system in self.systems
            ],
            "viewer": {"client_id": VIEWER, "redirect_uri": BACK},
            "people": PEOPLE,
        }
        self._process = subprocess.Popen(
            ["node", "provider.mjs", json.dumps(told)],
            cwd=self._folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        said = iter(self._process.stdout.readline, "")
        assert any(line == "ready\n" for line in said), "the provider did not start"

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    @property
    def clinic(self) -> System:
        return self.systems[0]

    def system_token(
        self, system: System, scope: str = "system/Condition.crs", **changes: str
    ) -> dict[str, Any]:
        """What the token endpoint answers to client credentials, signed with `private_key_jwt`."""
        now = int(time.time())
        assertion = {
            "iss": system.client_id,
            "sub": system.client_id,
            "aud": self.issuer,
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + 60,
        }
        header = {"alg": "ES256", "kid": "client"}
        form = {
            "grant_type": "client_credentials",
            "scope": scope,
            "resource": AUDIENCE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": made(assertion, header, by(system.key)),
        }
        address = f"{self.issuer}/token"
        proofs = {"DPoP": system.proof("POST", address)} if system.bound else {}
        answer: dict[str, Any] = httpx.post(address, data=form | changes, headers=proofs, timeout=30).json()
        return answer

    def viewer_token(self, person: str, scope: str = "openid user/*.rs") -> dict[str, Any]:
        """What it answers to the code that *person* brings back who signed in on its pages: code flow with PKCE."""
        verifier = secrets.token_urlsafe(32)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "client_id": VIEWER,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": scope,
            "resource": AUDIENCE,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        with httpx.Client(timeout=30) as browser:
            code = self._signed_in(browser, person, browser.get(f"{self.issuer}/auth", params=asked))
            form = {
                "grant_type": "authorization_code",
                "client_id": VIEWER,
                "redirect_uri": BACK,
                "code": code,
                "code_verifier": verifier,
            }
            answer: dict[str, Any] = browser.post(f"{self.issuer}/token", data=form).json()
        return answer

    def _signed_in(self, browser: httpx.Client, person: str, answer: httpx.Response) -> str:
        for _ in range(12):
            if answer.is_redirect:
                address = urljoin(str(answer.url), answer.headers["location"])
                if address.startswith(BACK):
                    return parse_qs(urlsplit(address).query)["code"][0]
                answer = browser.get(address)
            else:
                action = re.search(r'action="([^"]+)"', answer.text)
                assert action is not None, answer.text
                prompt = "login" if 'name="login"' in answer.text else "consent"
                form = {"prompt": prompt, "login": person, "password": "any"}
                answer = browser.post(urljoin(str(answer.url), action[1]), data=form)
        raise AssertionError("the pages of the provider did not lead back")


@contextmanager
def a_provider() -> Iterator[Provider]:
    """Raises npm_packages.NpmAbsent."""
    provider = Provider()
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
