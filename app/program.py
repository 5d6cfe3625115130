"""Which program this is."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("tsuzuri")
except PackageNotFoundError:  # run from its folders, as while it is being written
    VERSION = "unpackaged"
