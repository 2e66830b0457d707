"""Which observed nodes the declared resources are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from store.declared.identity import (
    IDENTITIES,
    SUFFIX_LENGTH,
    generated_parts,
    is_generated,
    name_matches,
)
from store.declared.model import Declaration, Resource
from store.model import NodeKey


class ResourceKey(NamedTuple):
    """A declared resource among all stacks: the number of its declaration, and its id."""

    stack: int
    id: str


class _Observed:
    """The nodes of a map, found by type and name."""

    def __init__(self, nodes: Iterable[NodeKey]) -> None:
        self.by_type: dict[str, list[NodeKey]] = {}
        self.by_name: dict[tuple[str, str], list[NodeKey]] = {}
        self.by_head: dict[tuple[str, str], list[NodeKey]] = {}
        for key in nodes:
            self.by_type.setdefault(key.type, []).append(key)
            self.by_name.setdefault((key.type, key.name), []).append(key)
            if parts := generated_parts(key.name):
                self.by_head.setdefault((key.type, parts[0].lower()), []).append(key)

    def named(self, type: str, name: str) -> list[NodeKey]:
        """The nodes of a name, which may have ``*`` in it."""
        if "*" not in name:
            return self.by_name.get((type, name), [])
        return [key for key in self.by_type.get(type, ()) if name_matches(name, key.name)]

    def generated(self, type: str, resource: Resource, stack: str) -> list[NodeKey]:
        """The nodes whose name CloudFormation may have made for a resource."""
        heads = {f"{stack}-{resource.id}".lower(), resource.id.lower()}
        near = [key for head in sorted(heads) for key in self.by_head.get((type, head), ())]
        if "/" in resource.id or len(stack) + len(resource.id) + SUFFIX_LENGTH > 50:
            near = self.by_type.get(type, [])
        return [key for key in near if is_generated(resource.type, stack, resource.id, key.name)]


class Matches:
    """Declared resources and the observed nodes that they are.

    A node that several stacks may mean (one names it, another refers to it) belongs to all of them.
    """

    def __init__(self, declarations: Sequence[Declaration], nodes: Iterable[NodeKey]) -> None:
        self.declarations = declarations
        self.resources: dict[ResourceKey, Resource] = {}
        self.nodes: dict[ResourceKey, tuple[NodeKey, ...]] = {}
        self.owners: dict[NodeKey, list[ResourceKey]] = {}
        observed = _Observed(nodes)
        for number, declaration in enumerate(declarations):
            for resource in declaration.resources:
                key = ResourceKey(number, resource.id)
                self.resources[key] = resource
                self.nodes[key] = tuple(_matching(declaration, resource, observed))
                for node in self.nodes[key]:
                    self.owners.setdefault(node, []).append(key)
        self._same = self._equal_resources()

    def declaration(self, key: ResourceKey) -> Declaration:
        """The stack of a resource."""
        return self.declarations[key.stack]

    def same(self, key: ResourceKey) -> ResourceKey:
        """The resource that one outside its template is, if another declared stack has it."""
        return self._same.get(key, key)

    def _equal_resources(self) -> Mapping[ResourceKey, ResourceKey]:
        named = {
            (each.type, each.name): key
            for key, each in self.resources.items()
            if each.name and not each.external
        }
        found = {}
        for key, each in self.resources.items():
            other = named.get((each.type, each.name)) if each.external else None
            if other and _in_one_place(self.declaration(key), self.declaration(other)):
                found[key] = other
        return found


def _matching(
    declaration: Declaration, resource: Resource, observed: _Observed
) -> Iterator[NodeKey]:
    identity = IDENTITIES[resource.type]
    if is_unnamed(resource):
        return
    for type in identity.types:
        if resource.name:
            found = observed.named(type, resource.name)
        else:
            found = observed.generated(type, resource, declaration.stack)
        yield from (key for key in found if in_place(key, declaration))


def is_unnamed(resource: Resource) -> bool:
    """Whether the template says nothing of its name."""
    return bool(resource.name) and not resource.name.replace("*", "").strip("/-_.")


def in_place(node: NodeKey, declaration: Declaration) -> bool:
    """Whether a node may be in a stack's account and region; what is not known may be anything."""
    account, region = declaration.account, declaration.region
    return node.account in ("", account or node.account) and node.region in (
        "",
        region or node.region,
    )


def _in_one_place(one: Declaration, other: Declaration) -> bool:
    return all(
        "" in pair or pair[0] == pair[1]
        for pair in ((one.account, other.account), (one.region, other.region))
    )
