"""Finding what a reference means inside its Bundle: by fullUrl, by Type/id, or contained by #id."""

from collections.abc import Iterable

from tsuzuri.domain.fhir.elements import Element


class References:
    """The resources of one Bundle by every name a reference may use."""

    def __init__(self, entries: Iterable[tuple[str | None, Element]]) -> None:
        """`entries`: fullUrl and resource of each. The first of two equal names wins."""
        self._by_url: dict[str, Element] = {}
        self._by_id: dict[str, Element] = {}
        self._contained: dict[Element, dict[str, Element]] = {}  # by the owner, where somebody asked
        for full_url, resource in entries:
            if full_url:
                self._by_url.setdefault(full_url, resource)
            if identity := resource.text("id"):
                self._by_id.setdefault(f"{resource.text('resourceType')}/{identity}", resource)

    def find(self, reference: Element, owner: Element) -> Element | None:
        """The resource meant, or None. `owner` is the entry's resource: sibling entries reuse contained ids."""
        target = reference.text("reference")
        if target is None:
            return None
        if target.startswith("#"):
            return self._contained_in(owner).get(target[1:])
        return self.named(target)

    def _contained_in(self, owner: Element) -> dict[str, Element]:
        """By id. Looked through once: thousands of references may ask one of thousands of resources."""
        if owner not in self._contained:
            by_id = self._contained[owner] = {}
            for resource in owner.elements("contained"):
                if isinstance(identity := resource.data.get("id"), str):
                    by_id.setdefault(identity.strip(), resource)
        return self._contained[owner]

    def named(self, target: str) -> Element | None:
        """The entry's resource of this fullUrl or Type/id."""
        if found := self._by_url.get(target):
            return found
        # An absolute URL of another server is not ours, whatever Type/id it ends in.
        return self._by_id.get(target.partition("/_history/")[0])
