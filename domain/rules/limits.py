"""How much of a Bundle is read at all."""

from typing import Any

SIZE_MAX_BYTES = 10 * 1024 * 1024  # per transmission: the national service's own limit
DEPTH_MAX = 64  # levels of objects and lists; published Bundles reach 12


def extent(tree: Any) -> tuple[int, int]:
    """How many levels of objects and lists JSON has, and how many keys. What lies too deep is not counted."""
    level, depth, keys = [tree], 0, 0
    while depth <= DEPTH_MAX and (level := [node for node in level if isinstance(node, (dict, list))]):
        depth += 1
        inside: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                keys += len(node)
                inside += node.values()
            else:
                inside += node
        level = inside
    return depth, keys
