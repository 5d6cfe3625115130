"""From true proofs, false ones: each says something that is not so, by a single change. None may be believed."""

import base64
import copy
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any
from uuid import UUID

from made_log import Bundle, MadeLog, b64, texts
from second_trees import Path, key_of

Named = tuple[str, Bundle]


def forged_paths(random: Random, path: Path) -> Iterator[tuple[str, Path]]:
    """Of a path: every kind of another one."""
    yield "extended path", [*path, random.randbytes(32)]
    yield "extended path", [random.randbytes(32), *path]
    if not path:
        return
    at = random.randrange(len(path))
    yield "changed hash in the path", [*path[:at], flipped(random, path[at]), *path[at + 1 :]]
    yield "truncated path", path[:-1]
    yield "truncated path", path[1:]
    if len(path) > 1 and path[at] != path[at - 1]:
        swapped = list(path)
        swapped[at], swapped[at - 1] = path[at - 1], path[at]
        yield "swapped path", swapped


def flipped(random: Random, data: bytes) -> bytes:
    at = random.randrange(8 * len(data))
    return (int.from_bytes(data) ^ 1 << at).to_bytes(len(data))


def forged_event(random: Random, bundle: Bundle) -> Iterator[Named]:
    event = bundle["event"]
    for name in ("part", "pos", "stream"):
        yield f"other {name}", changed(bundle, ("event", name), event[name] + 1)
    yield "other version", changed(bundle, ("event", "version"), (event["version"] or 0) + 1)
    for name in ("eventId", "owner", "keyId"):
        yield f"other {name}", changed(bundle, ("event", name), str(UUID(int=random.getrandbits(128))))
    yield "other moment", changed(bundle, ("event", "recordedAt"), moved(event["recordedAt"]))
    yield "other topic", changed(bundle, ("event", "topic"), event["topic"] + "s")
    yield "other state", flip(random, bundle, ("event", "state"))
    yield "other size", changed(bundle, ("size",), bundle["size"] + random.choice((1, -1)))
    for name in bundle["keys"]:
        yield "other key", flip(random, bundle, ("keys", name))
    yield from forged_path_at(random, bundle, ("path",))
    yield from forged_path_at(random, bundle, ("partPath",))
    yield from forged_head(random, bundle, ())


def forged_accesses(
    random: Random, log: MadeLog, bundle: Bundle, strangers: Sequence[UUID]
) -> Iterator[Named]:
    """*strangers*: other owners, with accesses and without."""
    at = random.randrange(len(bundle["lists"]))
    of, given = ("lists", at), bundle["lists"][at]
    accesses = given["accesses"]
    yield from forged_path_at(random, bundle, (*of, "path"))
    yield from forged_path_at(random, bundle, (*of, "partPath"))
    yield from forged_head(random, bundle, ())
    yield "no list", changed(bundle, ("lists",), [])
    yield "the same list twice", changed(bundle, ("lists",), [*bundle["lists"], given])
    yield "other part", changed(bundle, (*of, "part"), given["part"] + 1)
    for stranger in strangers:
        (theirs,) = log.accesses_bundle([stranger])["lists"]
        if str(stranger) != given["owner"] and (theirs["accesses"] or accesses):
            as_hers = {**theirs, "owner": given["owner"]}
            yield "list of another owner", changed(bundle, of, as_hers)
            yield "list of another owner", changed(bundle, of, {**as_hers, "part": given["part"]})
            yield "accesses of another owner", changed(bundle, (*of, "accesses"), theirs["accesses"])
    for parts in range(1, bundle["parts"]):
        yield "other number of parts", absent_by_parts(log, bundle, at, parts)
    if not accesses:
        if given["other"] is not None:
            yield "nobody in another's place", changed(bundle, (*of, "other"), None)
            yield "somebody else in her place", flip(random, bundle, (*of, "other", "value"))
        return
    owner = UUID(given["owner"])
    mine = dict(zip(("key", "value"), map(b64, log.entry_of(owner)), strict=True))
    yield "claimed absent", changed(bundle, (*of, "accesses"), [])
    for other in (mine, {**mine, "key": b64(flipped(random, key_of(owner.bytes)))}):
        gone = changed(bundle, (*of, "accesses"), [])
        yield "claimed absent", changed(gone, (*of, "other"), other)
    yield "somebody else beside her entry", changed(bundle, (*of, "other"), mine)
    one = random.randrange(len(accesses))
    yield "an access left out", changed(bundle, (*of, "accesses"), accesses[:one] + accesses[one + 1 :])
    yield "an access twice", changed(bundle, (*of, "accesses"), [*accesses, accesses[one]])
    if len(accesses) > 1:
        yield "other order", changed(bundle, (*of, "accesses"), accesses[::-1])
    access, where = accesses[one], (*of, "accesses", one)
    yield "other moment", changed(bundle, (*where, "recordedAt"), moved(access["recordedAt"]))
    yield "other number of sections", changed(bundle, (*where, "sections"), 3 - access["sections"])
    for name in ("eventId", "keyId"):
        yield f"other {name}", changed(bundle, (*where, name), str(UUID(int=random.getrandbits(128))))
    for name in ("told", "apart", "key"):
        yield f"other {name}", flip(random, bundle, (*where, name))


def forged_consistency(random: Random, bundle: Bundle) -> Iterator[Named]:
    yield from forged_path_at(random, bundle, ("path",))
    part = random.randrange(bundle["parts"])
    yield from forged_path_at(random, bundle, ("partPaths", part))
    for side in ("from", "to"):
        yield from forged_head(random, bundle, (side,))
        parts = bundle[side]["parts"]
        yield "other root", flip(random, bundle, (side, "parts", part, "root"))
        yield "other size", changed(bundle, (side, "parts", part, "size"), parts[part]["size"] + 1)
        yield "a part left out", changed(bundle, (side, "parts"), parts[:part] + parts[part + 1 :])
    yield "other number of parts", changed(bundle, ("parts",), bundle["parts"] + 1)
    if bundle["from"]["checkpoint"] != bundle["to"]["checkpoint"]:
        yield "there and back", {**bundle, "from": bundle["to"], "to": bundle["from"]}


def absent_by_parts(log: MadeLog, bundle: Bundle, at: int, parts: int) -> Bundle:
    """The log is said to have fewer parts, so that another part is hers, where she has no access."""
    owner = UUID(bundle["lists"][at]["owner"])
    part = owner.int % parts
    return changed({**bundle, "parts": parts}, ("lists", at), log.list_in_part(owner, part))


def forged_head(random: Random, bundle: Bundle, of: tuple[str, ...]) -> Iterator[Named]:
    yield from forged_path_at(random, bundle, (*of, "head", "path"))
    for name in ("events", "accesses"):
        yield f"other root over {name}", flip(random, bundle, (*of, "head", name))
    yield (
        "other moment of the head",
        changed(bundle, (*of, "head", "at"), moved(at_of(bundle, (*of, "head", "at")))),
    )
    note = at_of(bundle, (*of, "checkpoint"))
    lines = note.split("\n")
    yield (
        "other number of heads",
        changed(bundle, (*of, "checkpoint"), "\n".join([lines[0], str(int(lines[1]) + 1), *lines[2:]])),
    )
    yield "no signature", changed(bundle, (*of, "checkpoint"), note[: note.index("\n\n") + 2])


def forged_path_at(random: Random, bundle: Bundle, where: tuple[str | int, ...]) -> Iterator[Named]:
    path = [base64.b64decode(one) for one in at_of(bundle, where)]
    for name, other in forged_paths(random, path):
        yield f"{name}, at {where}", changed(bundle, where, texts(other))


def at_of(value: Any, where: Sequence[str | int]) -> Any:
    for step in where:
        value = value[step]
    return value


def changed(bundle: Bundle, where: Sequence[str | int], value: object) -> Bundle:
    other = copy.deepcopy(bundle)
    *way, last = where
    at_of(other, way)[last] = value
    return other


def flip(random: Random, bundle: Bundle, where: Sequence[str | int]) -> Bundle:
    return changed(bundle, where, b64(flipped(random, base64.b64decode(at_of(bundle, where)))))


def moved(moment: str) -> str:
    """By a microsecond."""
    micros = int(moment[20:26])
    return f"{moment[:20]}{micros + 1 if micros < 999_999 else micros - 1:06}Z"
