"""Damaged and hostile input: always BundleRejected, with a place and a reason, never with a patient's value."""

import copy
import json
import pickle
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tsuzuri.domain.fhir.bundle import ENTRIES_MAX, SIZE_MAX_BYTES, BundleRejected, read_bundle
from tsuzuri.domain.record import Reading

Json = dict[str, Any]

CANARIES = ("カナリア", "CANARY", "31415926")
NAME, ROMAN, NUMBER = "カナリア 花子", "CANARY Hanako", "31415926:カナリア:31415926:01"


def a_bundle(kind: str = "collection") -> Json:
    """A valid Bundle whose every personal value is a canary."""
    patient = {
        "resourceType": "Patient",
        "id": "p",
        "identifier": [
            {"system": "http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID", "value": NUMBER}
        ],
        "name": [{"text": NAME}, {"family": ROMAN}],
        "birthDate": "1961-02-03",
        "address": [{"text": NAME, "postalCode": "314-1592"}],
    }
    condition = {
        "resourceType": "Condition",
        "meta": {"lastUpdated": "2026-01-01T00:00:00Z"},
        "code": {"coding": [{"system": "urn:c", "code": "CANARY"}], "text": NAME},
        "subject": {"reference": "Patient/p", "display": NAME},
        "onsetDateTime": "2026-01-01",
        "recorder": {"display": NAME},
        "note": [{"text": ROMAN}],
    }
    composition = {
        "resourceType": "Composition",
        "status": "final",
        "type": {
            "coding": [{"system": "http://jpfhir.jp/fhir/Common/CodeSystem/doc-typecodes", "code": "57133-1"}]
        },
        "date": "2026-01-01",
        "title": NAME,
        "author": [{"display": NAME}],
        "section": [{"title": NAME, "code": {"coding": [{"code": "910"}]}, "entry": [{"display": NAME}]}],
    }
    resources = [composition, patient] if kind == "document" else [patient]
    return {
        "resourceType": "Bundle",
        "type": kind,
        "identifier": {"system": "urn:sample", "value": "1310000001^2026^CANARY"},
        "timestamp": "2026-01-02T03:04:05+09:00",
        "entry": [{"fullUrl": f"urn:uuid:{n}", "resource": r} for n, r in enumerate([*resources, condition])],
    }


def sent(bundle: Any) -> bytes:
    return json.dumps(bundle, ensure_ascii=False).encode()


def refused(received: bytes) -> BundleRejected:
    with pytest.raises(BundleRejected) as caught:
        read_bundle(received)
    answer = caught.value
    assert answer.place and answer.reason and str(answer) == f"{answer.place}: {answer.reason}"
    assert not any(canary in str(answer) for canary in CANARIES)
    return answer


def replaced(old: str, new: str) -> bytes:
    """The valid Bundle with one piece of its text exchanged."""
    text = json.dumps(a_bundle(), ensure_ascii=False)
    assert old in text
    return text.replace(old, new, 1).encode("utf-8", "surrogatepass")


def changed(change: Callable[[Json], object]) -> bytes:
    """The valid Bundle with its Condition changed."""
    bundle = a_bundle()
    change(bundle["entry"][1]["resource"])
    return sent(bundle)


def swapped(**resource: Any) -> bytes:
    """The valid Bundle with another resource in place of its Condition."""
    bundle = a_bundle()
    bundle["entry"][1]["resource"] = resource
    return sent(bundle)


def test_the_bundle_that_is_damaged_below_is_whole() -> None:
    for kind in ("collection", "document"):
        assert isinstance(read_bundle(sent(a_bundle(kind))), Reading)


WHOLE = sent(a_bundle())
UNREADABLE = {
    "empty": (b"", "line 1 column 1"),
    "truncated": (WHOLE[: len(WHOLE) // 2], "line 1 column"),
    "second line": (b'{"resourceType":\n "Bundle", ]', "line 2 column 12"),
    "not UTF-8": (WHOLE.replace("花".encode(), b"\xff", 1), f"byte {WHOLE.index('花'.encode())}"),
    "UTF-16": (WHOLE.decode().encode("utf-16"), "byte 0"),
    "byte order mark": (b"\xef\xbb\xbf" + WHOLE, "line 1 column 1"),
    "NaN": (replaced('"2026-01-01"', "NaN"), "line 1 column"),
    "Infinity": (replaced('"2026-01-01"', "1e999"), "line 1 column"),
    "a megabyte of digits": (replaced('"2026-01-01"', "7" * 1024 * 1024), "line 1 column"),
    "a megabyte of decimals": (replaced('"2026-01-01"', "0." + "7" * 1024 * 1024), "line 1 column"),
    "a long number": (replaced('"2026-01-01"', "7" * 50), "line 1 column"),
    "lone surrogate escape": (replaced("花子", "\\ud800"), "line 1 column"),
    "lone surrogate encoded": (replaced("花子", "\ud800"), "byte "),
    "raw NUL": (replaced("花子", "\0"), "line 1 column"),
    "100,000 deep": (b"[" * 100_000, "line 1 column"),
    "65 deep": (b"[" * 65 + b"]" * 65, "level 65"),
    "two values": (WHOLE + WHOLE, "line 1 column"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_no_reader_may_take_is_unreadable_at_a_place(name: str) -> None:
    received, place = UNREADABLE[name]

    answer = refused(received)

    assert answer.unreadable and not answer.not_a_bundle
    assert answer.place.startswith(place)


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ([a_bundle()], "no JSON object"),
        (7, "no JSON object"),
        (None, "no JSON object"),
        (NAME, "no JSON object"),
        ({"name": NAME}, "no resourceType"),
        (a_bundle()["entry"][0]["resource"], "Patient"),
        ({"resourceType": NAME}, "unknown to FHIR R4"),
        ({"resourceType": ["Bundle"]}, "unknown to FHIR R4"),
    ],
)
def test_valid_json_that_is_something_else_is_not_a_bundle(other: Any, named: str) -> None:
    answer = refused(sent(other))

    assert answer.not_a_bundle and not answer.unreadable
    assert named in answer.reason


def test_more_than_ten_megabytes_are_not_even_parsed() -> None:
    answer = refused(b" " * (SIZE_MAX_BYTES + SIZE_MAX_BYTES // 20))

    assert answer.place == f"byte {SIZE_MAX_BYTES}"
    assert "10 MB" in answer.reason


def test_too_many_entries_are_refused_before_their_shape_is_looked_at() -> None:
    bundle = a_bundle()
    bundle["entry"] *= ENTRIES_MAX

    assert str(ENTRIES_MAX) in refused(sent(bundle)).reason


SHAPES: dict[str, tuple[bytes, str, str]] = {
    "NUL": (replaced("花子", "\\u0000"), r"entry\[0\]\.resource\.name\[0\]\.text", "NUL"),
    "doubled key": (
        replaced('"birthDate"', '"gender": "female", "gender": "male", "birthDate"'),
        r"entry\[0\]\.resource\.gender",
        "twice",
    ),
    "doubled key, with blanks": (
        replaced('"birthDate"', '"gender" : "female", "gender"\n:"male", "birthDate"'),
        r"entry\[0\]\.resource\.gender",
        "twice",
    ),
    "doubled key, escaped": (
        replaced('"birthDate"', '"gender": "female", "\\u0067ender": "male", "birthDate"'),
        r"entry\[0\]\.resource\.gender",
        "twice",
    ),
    "R5 medication": (
        swapped(
            resourceType="MedicationRequest",
            status="active",
            intent="order",
            subject={"reference": "Patient/p"},
            medication={"concept": {"text": NAME}},
        ),
        r"entry\[1\]\.resource\.medication\[x\]",
        "medication[x] is missing",
    ),
    "R5 Encounter.class": (
        swapped(resourceType="Encounter", status="finished", **{"class": [{"text": NAME}]}),
        r"entry\[1\]\.resource\.class",
        "must be an object",
    ),
    "unknown element": (changed(lambda r: r.update({ROMAN: NAME})), r"entry\[1\]\.resource", "unknown"),
    "unknown type": (
        changed(lambda r: r.update(resourceType=ROMAN)),
        r"entry\[1\]\.resource\.resourceType",
        "FHIR R4",
    ),
    "unknown contained type": (
        changed(lambda r: r.update(contained=[{"resourceType": ROMAN}])),
        r"entry\[1\]\.resource\.contained\[0\]\.resourceType",
        "FHIR R4",
    ),
    "no type": (changed(lambda r: r.pop("resourceType")), r"entry\[1\]\.resource\.resourceType", "missing"),
    "missing element": (changed(lambda r: r.pop("subject")), r"entry\[1\]\.resource\.subject", "missing"),
    "two onsets": (
        changed(lambda r: r.update(onsetString=NAME)),
        r"entry\[1\]\.resource\.onset\[x\]",
        "in two types",
    ),
    "no such day": (
        changed(lambda r: r.update(onsetDateTime="2026-02-30")),
        r"entry\[1\]\.resource\.onsetDateTime",
        "",
    ),
    "era date": (
        changed(lambda r: r.update(onsetDateTime="S25.5.4")),
        r"entry\[1\]\.resource\.onsetDateTime",
        "form",
    ),
    "number for a date": (
        changed(lambda r: r.update(onsetDateTime=31415926)),
        r"entry\[1\]\.resource\.onsetDateTime",
        "must be text",
    ),
    "text for an object": (changed(lambda r: r.update(code=NAME)), r"entry\[1\]\.resource\.code", "object"),
    "JSON in text": (
        changed(lambda r: r.update(code=json.dumps({"text": NAME}))),
        r"entry\[1\]\.resource\.code",
        "must be an object",
    ),
    "empty text": (changed(lambda r: r["code"].update(text="")), r"entry\[1\]\.resource\.code\.text", ""),
    "resource as text": (
        sent(a_bundle() | {"entry": [{"resource": NAME}]}),
        r"entry\[0\]\.resource\.resourceType",
        "T0005",
    ),
    "entry as text": (sent(a_bundle() | {"entry": [NAME]}), r"entry\[0\]\.resource", "T0024"),
    "no entries": (sent(a_bundle() | {"entry": []}), "entry", "at least one"),
    "type of no use": (sent(a_bundle() | {"type": "transaction"}), "type", "transaction"),
    "type of no name": (sent(a_bundle() | {"type": NAME}), "type", "document or collection"),
    "timestamp": (sent(a_bundle() | {"timestamp": 31415926}), "timestamp", "must be text"),
    "no identifier of the patient": (
        replaced("http://jpfhir.jp/fhir/clins/Idsystem/JP_Insurance_memberID", "urn:other"),
        r"entry\[0\]\.resource\.identifier",
        "names the patient",
    ),
    "no Composition": (sent(a_bundle() | {"type": "document"}), r"entry\[0\]\.resource", "T0007"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_what_is_no_bundle_of_ours_is_rejected_at_its_path(name: str) -> None:
    received, place, reason = SHAPES[name]

    answer = refused(received)

    assert not answer.unreadable and not answer.not_a_bundle
    assert re.fullmatch(rf"Bundle\.{place}", answer.place)
    assert reason in answer.reason


def test_many_faults_are_told_as_five_and_a_count() -> None:
    bundle = a_bundle()
    bundle["entry"][1]["resource"] |= {f"unheard{n}": 1 for n in range(9)}

    answer = refused(sent(bundle))

    assert answer.place == "Bundle.entry[1].resource"
    assert answer.reason.count("is unknown to FHIR R4") == 5
    assert answer.reason.endswith("; 4 more")


def test_a_rejection_survives_the_way_back_from_a_worker() -> None:
    answer = refused(b"{")

    again = pickle.loads(pickle.dumps(answer))

    assert (again.place, again.reason, again.unreadable) == (answer.place, answer.reason, True)
    assert str(again) == str(answer)


# Random damage: whatever is done to a valid Bundle, the answer is a Reading or a BundleRejected.


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of the tree."""
    here = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, child in here for place in ((node, key), *places(child))]


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(
        [
            "",
            "\0",
            "#x",
            "0000",
            "9999-12-31T23:59:60-14:00",
            "Patient/p",
            "1e400",
            "{}",
            NAME,
            [],
            {},
            [[]],
            [{}],
        ]
    ).map(copy.deepcopy),  # what is put in may be damaged in its turn, and must not be put into itself
)
OBSERVATION = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"text": NAME},
    "valueQuantity": {"value": 0.4, "unit": "g"},
    "referenceRange": [{"low": {"value": 1}}],
    "component": [{"code": {"text": NAME}, "valueString": NAME}],
}
REQUEST = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": NAME},
    "subject": {"reference": "Patient/p"},
    "dosageInstruction": [
        {
            "text": NAME,
            "timing": {"repeat": {"boundsDuration": {"value": 3, "code": "d"}}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "錠"}}],
        }
    ],
}


@settings(
    max_examples=250,
    deadline=timedelta(seconds=5),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_random_damage_never_raises_anything_else(data: st.DataObject) -> None:
    bundle = copy.deepcopy(a_bundle(data.draw(st.sampled_from(["collection", "document"]))))
    if bundle["type"] == "document":
        bundle["entry"] += copy.deepcopy([{"resource": OBSERVATION}, {"resource": REQUEST}])
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = data.draw(st.sampled_from(places(bundle)))
        match data.draw(st.sampled_from(["replace", "replace", "remove", "wrap", "copy"])):
            case "replace":
                container[key] = data.draw(JUNK)
            case "remove":
                del container[key]
            case "wrap":
                container[key] = [container[key]]
            case _:
                container[key] = copy.deepcopy(data.draw(st.sampled_from(places(bundle)))[0])
        if not places(bundle):
            break
    answered(json.dumps(bundle, ensure_ascii=data.draw(st.booleans())).encode("utf-8", "surrogatepass"))


@settings(max_examples=250, deadline=timedelta(seconds=5))
@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=4), st.integers(0, 8))
def test_random_bytes_never_raise_anything_else(offset: int, spliced: bytes, cut: int) -> None:
    answered(WHOLE[:offset] + spliced + WHOLE[offset + cut :])


def answered(received: bytes) -> None:
    try:
        assert isinstance(read_bundle(received), Reading)
    except BundleRejected as answer:
        assert answer.place and answer.reason
        assert not any(canary in str(answer) for canary in CANARIES)
