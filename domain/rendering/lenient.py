"""Reading what intake has not read: section titles, addresses, procedures.

FHIR's shape check lets text pass where an object belongs. Intake looks at each element that it takes something of; a
page reads more, of Bundles that were accepted long ago, and one odd element must not cost the reader the whole page.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from tsuzuri.domain.fhir.rejection import BundleRejected

P = ParamSpec("P")
T = TypeVar("T")


def if_readable(read: Callable[P, T], *given: P.args, **named: P.kwargs) -> T | None:
    """What *read* makes of it; None when the element is not of its form."""
    try:
        return read(*given, **named)
    except BundleRejected:
        return None
