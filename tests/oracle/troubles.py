"""What a patient's facilities send, as it may come instead: in another order, twice, taken back, corrected, marked."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

from oracle.received import HIDING, INDICATION, moment
from oracle.summary import Act, Cancelled, Key, Restored, Sent, key_of

MARKS = ((), ("UNINFORMED",), ("LTS", "UNINFORMED"), ("UNDELIVERED",), HIDING)


def troubled(acts: Sequence[Sent], random: Random) -> list[Act]:
    """The same Bundles and some more. Under one key they keep their order; what is taken back may be put back."""
    waiting: defaultdict[Key, list[Sent]] = defaultdict(list)
    for act in acts:
        waiting[key_of(act)].append(act)
    told: list[Act] = []
    cancelled: list[Key] = []
    while keys := [key for key, left in waiting.items() if left]:
        key = random.choice(keys)
        one = waiting[key].pop(0)
        told += [one, *_besides(one, random)]
        known = [act for act in told if isinstance(act, Sent)]
        another = random.choice(known)
        match random.randrange(8):
            case 0 | 1 if key_of(another) not in cancelled:
                told.append(another)
            case 2 | 3 | 4 if not waiting[key_of(another)] and key_of(another) not in cancelled:
                cancelled.append(key_of(another))
                told.append(Cancelled(key_of(another)))
            case 5 if cancelled:
                told.append(Restored(cancelled.pop(random.randrange(len(cancelled)))))
    return told


def _besides(one: Sent, random: Random) -> Iterator[Sent]:
    """Later words, or some meant to be earlier: under its identifier or a new one, some of it marked."""
    for _ in range(random.choice((0, 0, 1, 2))):
        tree = json.loads(one.body)
        at = moment(tree["timestamp"]) + timedelta(days=random.choice((-400, -3, 3, 400)))
        tree["timestamp"] = at.isoformat()
        if random.randrange(2):
            tree["identifier"]["value"] += "-b"
        for entry in tree["entry"]:
            if entry["resource"]["resourceType"] == "Condition" and random.randrange(2):
                flags = random.choice(MARKS)
                tags = [{"system": INDICATION, "code": flag} for flag in flags]
                entry["resource"]["meta"] |= {"lastUpdated": at.isoformat(), "tag": tags}
        yield Sent(one.facility, json.dumps(tree, ensure_ascii=False).encode(), one.at)
