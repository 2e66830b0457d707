"""What is gathered of one template: resources, calls with their evidence, notes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raymap.contrib.declare.templates.arns import Named, named_by
from raymap.contrib.declare.templates.intrinsics import Resolver, mentions, pattern
from store.declared.identity import KINDS, name_matches
from store.declared.model import MAX_NOTE, MAX_NOTES, Call, Evidence, Resource

Properties = Mapping[str, Any]


class Stack:
    """Gathers what a template declares.

    ``aliases``: logical IDs that stand for declared resources, such as a function's alias or an API,
    which stands for its stages.
    """

    def __init__(self, name: str, resolver: Resolver) -> None:
        self.name = name
        self.resolver = resolver
        self.resources: dict[str, Resource] = {}
        self.aliases: dict[str, tuple[str, ...]] = {}
        self.notes: dict[str, None] = {}
        self._evidence: dict[tuple[str, str], set[Evidence]] = {}

    def add(self, resource: Resource) -> None:
        """A resource of the stack."""
        self.resources[resource.id] = resource

    def change(self, id: str, **changes: Any) -> None:
        """Replace members of a known resource."""
        known = self.resources.get(id)
        if known is not None:
            members = {name: getattr(known, name) for name in Resource.__struct_fields__}
            self.resources[id] = Resource(**{**members, **changes})

    def note(self, sentence: str) -> None:
        """Something the template leaves open; the first `MAX_NOTES` remain."""
        if len(self.notes) < MAX_NOTES:
            self.notes.setdefault(sentence[:MAX_NOTE])

    def call(self, source: str, target: str, evidence: Evidence) -> None:
        """A call or a delivery that may happen."""
        if source != target:
            self._evidence.setdefault((source, target), set()).add(evidence)

    def has_call(self, source: str, target: str, evidence: Evidence) -> bool:
        """Whether there is such evidence already."""
        return evidence in self._evidence.get((source, target), ())

    def calls(self) -> tuple[Call, ...]:
        """All calls; an environment variable counts only where nothing else says so."""
        found = []
        for (source, target), evidence in sorted(self._evidence.items()):
            strong = evidence - {Evidence.ENVIRONMENT} or evidence
            if strong == {Evidence.POLICY, Evidence.DELIVERY}:
                strong = {Evidence.DELIVERY}  # the policy is what lets the service deliver
            found.append(Call(source, target, tuple(sorted(strong))))
        return tuple(found)

    def owners(self, id: str) -> tuple[str, ...]:
        """The declared resources that a logical ID stands for."""
        return self.aliases.get(id, ()) or ((id,) if id in self.resources else ())

    def targets(self, text: str) -> list[str]:
        """The resources that a resolved text means: by reference, else by ARN."""
        found = [owner for id, _ in mentions(text) for owner in self.owners(id)]
        if found or mentions(text):
            return list(dict.fromkeys(found))
        named = named_by(text)
        return self.named(named) if named else []

    def targets_as(self, type: str, text: str) -> list[str]:
        """As `targets`, where a text without an ARN is a name of a resource of a type."""
        if not text:
            return []
        if mentions(text) or pattern(text).startswith("arn:"):
            return self.targets(text)
        return self.named(Named(type, pattern(text)))

    def named(self, named: Named) -> list[str]:
        """The stack's own resources of a name, else one outside; none if nothing of the name is known."""
        if not named.name.strip("*/-_.:"):
            return []
        own = [
            each.id
            for each in self.resources.values()
            if each.type == named.type and not each.external and _may_be(named.name, each.name)
        ]
        if own:
            return own
        outside = Resource(
            f"{named.type} {named.name}"[:300], named.type, named.name[:300], external=True
        )
        self.resources.setdefault(outside.id, outside)
        return [outside.id]

    def kind_of(self, id: str) -> str:
        """The service of a resource, as IAM's actions name it."""
        return KINDS[self.resources[id].type].policy


def _may_be(meant: str, name: str) -> bool:
    return bool(name) and "*" not in name and name_matches(meant, name)
