"""How much of a Bundle is read at all."""

SIZE_MAX_BYTES = 10 * 1024 * 1024  # per transmission: the national service's own limit
DEPTH_MAX = 64  # levels of objects and lists; published Bundles reach 12
