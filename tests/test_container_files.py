"""What the image, the compose file and the GraphiQL page promise, read as text.

Each checker returns what is wrong, one line a fault; a spoiled copy shows that it can find it.
"""

import hashlib
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from string import Template
from typing import Any

import pytest
import yaml

Checker = Callable[[str], list[str]]  # a file's text → its faults

ROOT = Path(__file__).parent.parent
GRAPHIQL = ROOT / "app" / "graphiql"
ROOMS = ["app", "domain", "eventlog", "projections", "graphql"]

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
IGNORE = (ROOT / ".dockerignore").read_text(encoding="utf-8")
PAGE = (GRAPHIQL / "index.html").read_text(encoding="utf-8")
START = (GRAPHIQL / "start.js").read_text(encoding="utf-8")
LICENCES = (GRAPHIQL / "LICENSES.txt").read_text(encoding="utf-8")

SECRET_NAME = re.compile(r"PASS(WORD|WD)?|SECRET|KEY|TOKEN|JWKS|DATABASE$|DATABASE_UR[IL]|DSN|CREDENTIAL")
SECRET_VALUE = re.compile(r"://[^/\s]*:[^/\s]*@|PRIVATE KEY|^(?=.*\d)[A-Za-z0-9+/_-]{24,}=*$")


def faults_of_environment(where: str, environment: Mapping[str, str]) -> Iterator[str]:
    """A secret is given as the path of a file below /run/secrets, under a name that ends in _FILE."""
    for name, value in environment.items():
        if name.endswith("_FILE"):
            if not value.startswith("/run/secrets/"):
                yield f"{where}: {name} lies outside /run/secrets"
        elif SECRET_NAME.search(name) or SECRET_VALUE.search(value):
            yield f"{where}: {name} looks like a secret"


def faults_of_image(where: str, image: str) -> Iterator[str]:
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    if not digest and tag in ("", "latest"):
        yield f"{where}: {image} names no fixed version"


# The Dockerfile


def instructions(text: str) -> list[tuple[str, str]]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [
        (word.upper(), rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines())
        if word
    ]


def copied(text: str) -> list[str]:
    """What COPY takes from the checkout; not what one stage takes from another."""
    sources = [shlex.split(rest)[:-1] for word, rest in instructions(text) if word == "COPY"]
    return [source for group in sources if not group[0].startswith("--from=") for source in group]


def faults_of_dockerfile(text: str) -> list[str]:
    found = list[str]()
    arguments, stages, user = dict[str, str](), set[str](), "root"
    for word, rest in instructions(text):
        match word:
            case "ARG" | "ENV":
                pairs = dict(part.partition("=")[::2] for part in shlex.split(rest))
                arguments |= pairs
                found += faults_of_environment(word, pairs)
            case "FROM":
                image, *alias = rest.split()
                image = Template(image).substitute(arguments)
                if image not in stages:
                    found += faults_of_image(word, image)
                stages.update(alias[1:])
                user = "root"
            case "USER":
                user = rest
            case "ADD":
                found.append(f"ADD {rest}: fetches or unpacks; COPY says what it does")
            case "RUN":
                for command in re.split(r"&&|;", rest):
                    if "pip install" in command and not re.search(
                        r"--require-hashes|--no-deps dist/", command
                    ):
                        found.append(f"RUN{command}: installs what no hash names")
    if not re.fullmatch(r"[1-9]\d{3,}(:[1-9]\d{3,})?", user):
        found.append(f"the last USER is {user}, not a fixed number above 999")
    last = dict(instructions(text))  # of each word, the last one counts
    if "/livez" not in last.get("HEALTHCHECK", ""):
        found.append("HEALTHCHECK doesn't ask /livez")
    if (last.get("ENTRYPOINT"), last.get("CMD")) != ('["tsuzuri"]', '["serve"]'):
        found.append("it doesn't start with: tsuzuri serve")
    found += [
        f"{room}/ is not copied; src/ only links to it"
        for room in [*ROOMS, "src"]
        if room not in copied(text)
    ]
    for source in copied(text):
        is_file = "." in source or source.isupper()
        if not is_file and not (ROOT / source).is_dir():
            found.append(f"COPY {source}: no such folder")
    return found


def faults_of_ignore(text: str) -> list[str]:
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    named = {line[1:] for line in lines if line.startswith("!")}
    wanted = set(copied(DOCKERFILE))
    found = [] if lines[0] == "*" else ["it doesn't begin by leaving everything out"]
    return found + [f"{name}: copied and left out, or let in for nothing" for name in sorted(named ^ wanted)]


def test_dockerfile() -> None:
    assert faults_of_dockerfile(DOCKERFILE) == []


def test_only_what_is_copied_reaches_the_build() -> None:
    assert faults_of_ignore(IGNORE) == []


# docker-compose.yml


def faults_of_compose(text: str) -> list[str]:
    project: dict[str, Any] = yaml.safe_load(text)
    services: dict[str, dict[str, Any]] = project["services"]
    found = list[str]()
    for name, secret in project["secrets"].items():
        if not re.fullmatch(r"\./secrets/\w+\.(txt|json)", secret.get("file", "")):
            found.append(f"secret {name} is not a file below ./secrets")
    for name, service in services.items():
        environment: dict[str, str] = service.get("environment", {})
        found += faults_of_environment(name, environment)
        found += faults_of_image(name, service.get("image", ""))
        for secret in service.get("secrets", []):
            if secret not in project["secrets"]:
                found.append(f"{name}: secret {secret} is not declared")
        for variable, path in environment.items():
            if variable.endswith("_FILE") and Path(path).name not in service.get("secrets", []):
                found.append(f"{name}: {variable} names a secret it isn't given")
        if "no-new-privileges:true" not in service.get("security_opt", []):
            found.append(f"{name}: may gain privileges")
        if service.get("privileged") or service.get("network_mode") == "host":
            found.append(f"{name}: is not contained")
        for port in service.get("ports", []):
            if name != "api" or not str(port).startswith("127.0.0.1:"):
                found.append(f"{name}: publishes {port}")
        if name != "database":
            found += faults_of_our_service(name, service)
    if not project["networks"]["inside"]["internal"] or services["database"]["networks"] != ["inside"]:
        found.append("database: has a way out")
    for name in ("database", "api"):
        if not services[name].get("healthcheck", {}).get("test"):
            found.append(f"{name}: nobody asks whether it is healthy")
    order = [("migrate", "database", "service_healthy")]
    order += [(name, "migrate", "service_completed_successfully") for name in ("api", "projector")]
    for later, earlier, condition in order:
        if services[later].get("depends_on", {}).get(earlier) != {"condition": condition}:
            found.append(f"{later}: doesn't wait for {earlier}")
    return found


def faults_of_our_service(name: str, service: Mapping[str, Any]) -> Iterator[str]:
    if service.get("read_only") is not True or "/tmp" not in service.get("tmpfs", []):
        yield f"{name}: its root is not read-only with a /tmp"
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield f"{name}: keeps capabilities"
    if service.get("user"):
        yield f"{name}: replaces the image's user"
    if service["environment"].get("TSUZURI_MODE") != "production":
        yield f"{name}: doesn't run in production mode"


def test_compose() -> None:
    assert faults_of_compose(COMPOSE) == []


def test_compose_runs_the_four_services() -> None:
    services = yaml.safe_load(COMPOSE)["services"]

    assert {name: service.get("command") for name, service in services.items()} == {
        "database": None,
        "migrate": ["db", "migrate"],
        "api": ["serve", "--no-projector"],
        "projector": ["projections", "catch-up", "--follow"],
    }


# The GraphiQL page


class Page(HTMLParser):
    """Collects what a page loads, and what a strict content security policy would stop."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads = list[str]()
        self.inline = list[str]()
        self.policy = ""
        self.language = self.title = self.within = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.within = tag
        self.loads += [given[name] for name in ("src", "href", "action", "srcset", "data") if name in given]
        self.inline += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(f"<{tag}>")
        if tag == "html":
            self.language = given.get("lang", "")
        if given.get("http-equiv", "").lower() == "content-security-policy":
            self.policy = given["content"]

    def handle_data(self, data: str) -> None:
        if self.within == "title":
            self.title += data.strip()


def faults_of_page(text: str) -> list[str]:
    page = Page(text)
    found = [f"{what}: inline" for what in page.inline]
    for link in page.loads:
        if link != "data:," and not (link.startswith("./") and (GRAPHIQL / link).is_file()):
            found.append(f"{link}: not a file beside the page")
    if re.search(r"https?:|//\w", text):
        found.append("names another host")
    if "default-src 'none'" not in page.policy or "unsafe" in page.policy:
        found.append("its policy is not strict")
    if (page.language, page.title) != ("ja", "Tsuzuri GraphiQL"):
        found.append("its language or its title is another")
    return found


def faults_of_start(text: str) -> list[str]:
    found = [] if 'createFetcher({ url: "/graphql" })' in text else ["doesn't ask /graphql, or not it alone"]
    if re.search(r"https?:|wss?:|[\"'`]//", text):
        found.append("names another host")
    if not re.search(r"shouldPersistHeaders: false,", text) or re.search(
        r"localStorage|sessionStorage|cookie", text
    ):
        found.append("leaves tokens or queries in the browser")
    return found


def faults_of_stylesheet(text: str) -> list[str]:
    links = re.findall(r"url\(\s*[\"']?(?!data:)([^)]{0,60})", text) + re.findall(r"@import[^;]{0,60}", text)
    return [f"{link}: loaded by the stylesheet" for link in links]


def faults_of_licences(text: str) -> list[str]:
    """Every file that is not ours is listed with the hash of its bytes."""
    found = list[str]()
    for file in sorted(GRAPHIQL.iterdir()):
        if file.name in ("index.html", "start.js", "start.css", "LICENSES.txt"):
            continue
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        if not re.search(
            rf"^(graphiql|react|react-dom) \d+\.\d+\.\d+ +MIT +{re.escape(file.name)} +{digest}$", text, re.M
        ):
            found.append(f"{file.name}: not listed, or not these bytes")
    for phrase in ("Permission is hereby granted, free of charge", "SIL OPEN FONT LICENSE", "Apache License"):
        if phrase not in text:
            found.append(f"the text that says {phrase!r} is missing")
    return found


def test_graphiql_page_loads_nothing_from_elsewhere() -> None:
    assert faults_of_page(PAGE) == []
    assert faults_of_start(START) == []
    for file in GRAPHIQL.glob("*.css"):
        assert faults_of_stylesheet(file.read_text(encoding="utf-8")) == []


def test_graphiql_licences_name_every_file() -> None:
    assert faults_of_licences(LICENCES) == []


def test_graphiql_folder_is_data_of_bounded_size() -> None:
    assert not list(GRAPHIQL.rglob("*.py"))
    assert sum(file.stat().st_size for file in GRAPHIQL.iterdir()) < 4_500_000


# Every checker finds what it is for

WATCHED: dict[Checker, str] = {
    faults_of_dockerfile: DOCKERFILE,
    faults_of_ignore: IGNORE,
    faults_of_compose: COMPOSE,
    faults_of_page: PAGE,
    faults_of_start: START,
    faults_of_stylesheet: "a { color: red }",
    faults_of_licences: LICENCES,
}


@pytest.mark.parametrize(
    ("checker", "good", "bad", "fault"),
    [
        (faults_of_dockerfile, "USER 10001:10001", "USER root", "last USER"),
        (faults_of_dockerfile, "USER 10001:10001\n", "", "last USER"),
        (faults_of_dockerfile, "COPY src src", "ADD https://example.org/src.tar.gz src", "ADD"),
        (faults_of_dockerfile, "COPY graphql graphql\n", "", "graphql/ is not copied"),
        (faults_of_dockerfile, "COPY app app", "COPY app application app", "no such folder"),
        (faults_of_dockerfile, "=python:3.13-slim", "=python:latest", "no fixed version"),
        (faults_of_dockerfile, "=python:3.13-slim", "=python", "no fixed version"),
        (faults_of_dockerfile, "--require-hashes -r req", "-r req", "no hash"),
        (faults_of_dockerfile, "TSUZURI_PORT=", "TSUZURI_SEAL_KEY=", "looks like a secret"),
        (faults_of_dockerfile, "/livez", "/", "HEALTHCHECK"),
        (faults_of_dockerfile, 'CMD ["serve"]', 'CMD ["sh"]', "start with"),
        (faults_of_ignore, "*\n!pyproject", "!pyproject", "leaving everything out"),
        (faults_of_ignore, "!src\n", "!src\n!secrets\n", "secrets"),
        (faults_of_ignore, "!eventlog\n", "", "eventlog"),
        (faults_of_compose, "read_only: true", "read_only: false", "api: its root"),
        (faults_of_compose, "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "capabilities"),
        (faults_of_compose, '"no-new-privileges:true"', '"no-new-privileges:false"', "gain privileges"),
        (faults_of_compose, "127.0.0.1:8080:8080", "8080:8080", "publishes"),
        (faults_of_compose, "shm_size: 256mb", 'ports: ["127.0.0.1:5432:5432"]', "database: publishes"),
        (faults_of_compose, "POSTGRES_PASSWORD_FILE: /run/secrets/", "POSTGRES_PASSWORD: ", "like a secret"),
        (faults_of_compose, "TSUZURI_PORT: ", "TSUZURI_X: postgresql://a:b@c/d #", "like a secret"),
        (
            faults_of_compose,
            "TSUZURI_PORT: ",
            "TSUZURI_X: 9f86d081884c7d659a2feaa0c55ad015 #",
            "like a secret",
        ),
        (faults_of_compose, "/run/secrets/seal_key", "/etc/seal_key", "outside /run/secrets"),
        (faults_of_compose, "identifier_key, seal_key, role_key", "identifier_key, role_key", "isn't given"),
        (faults_of_compose, "  jwks: { file: ./secrets/jwks.json }\n", "", "not declared"),
        (faults_of_compose, "./secrets/seal_key.txt", "/etc/passwd", "not a file below"),
        (faults_of_compose, "{ condition: service_completed_successfully }", "{}", "wait for migrate"),
        (faults_of_compose, "condition: service_healthy", "condition: service_started", "wait for database"),
        (faults_of_compose, "internal: true", "internal: false", "way out"),
        (faults_of_compose, "postgres:18", "postgres:latest", "no fixed version"),
        (faults_of_compose, "TSUZURI_MODE: production", "TSUZURI_MODE: development", "production mode"),
        (faults_of_page, "./start.js", "https://example.org/start.js", "not a file beside"),
        (faults_of_page, "./start.js", "./missing.js", "not a file beside"),
        (faults_of_page, "<body>", "<body><p>http://example.org</p>", "another host"),
        (faults_of_page, "<body>", "<body><script>1</script>", "inline"),
        (faults_of_page, "<body>", "<body onload='1'>", "inline"),
        (faults_of_page, "script-src 'self'", "script-src 'unsafe-inline'", "not strict"),
        (faults_of_page, 'lang="ja"', "", "language"),
        (faults_of_start, '"/graphql"', '"https://example.org/graphql"', "another host"),
        (faults_of_start, "shouldPersistHeaders: false", "shouldPersistHeaders: true", "in the browser"),
        (faults_of_stylesheet, "a {", "@import 'x.css'; a {", "loaded by"),
        (faults_of_stylesheet, "color: red", "background: url(//example.org/x)", "loaded by"),
        (faults_of_licences, "react 18", "", "not these bytes"),
        (faults_of_licences, "SIL OPEN", "", "is missing"),
    ],
)
def test_a_spoiled_file_is_found(checker: Checker, good: str, bad: str, fault: str) -> None:
    text = WATCHED[checker]
    assert good in text

    found = checker(text.replace(good, bad))

    assert any(fault in line for line in found), found
