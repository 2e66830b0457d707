"""Elements of root causes as rootcause…{…} sees them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from store.filters.ast import Field, Value
from store.root_causes import CauseEntity, CauseService, RootCause, RootCauses

Values: TypeAlias = Value | tuple[str, ...]
"""A value, or the names of a service."""


class Element:
    """An element of a root cause's path: a service, an entity or an exception."""

    def __init__(self, values: Mapping[str, Values], index: int, length: int) -> None:
        place: dict[str, Values] = {
            "index": float(index),
            "first": index == 0,
            "last": index == length - 1,
        }
        self._values = {**values, **place}

    def values(self, field: Field) -> Iterable[Value]:
        """See `store.filters.evaluate.Subject`."""
        value = self._values.get(field.keyword)
        if isinstance(value, tuple):
            return value
        return [] if value is None or value == "" else [value]


def elements(causes: RootCauses, kind: str, part: str) -> Iterator[Element]:
    """Every element of the causes of a kind: services, entities or exceptions."""
    paths = causes.response_time if kind == "responsetime" else getattr(causes, kind)
    for cause in paths:
        lists: list[list[dict[str, Values]]]
        if part == "service":
            lists = [[_service_values(service) for service in cause.services]]
        else:
            entities = [
                (entity, service) for service in cause.services for entity in service.entities
            ]
            if part == "entity":
                lists = [[_entity_values(*each) for each in entities]]
            else:
                lists = [
                    [{"name": e.name, "message": e.message} for e in entity.exceptions]
                    for entity, _ in entities
                ]
        for listed in lists:
            yield from (Element(values, i, len(listed)) for i, values in enumerate(listed))


def _service_values(service: CauseService) -> dict[str, Values]:
    names = dict.fromkeys((service.name, service.node.name))
    return {
        "name": tuple(name for name in names if name),
        "type": service.node.type,
        "account.id": service.node.account,
        "inferred": service.inferred,
    }


def _entity_values(entity: CauseEntity, service: CauseService) -> dict[str, Values]:
    values = {**_service_values(service), "name": entity.name, "remote": entity.remote}
    if entity.coverage is not None:
        values["coverage"] = entity.coverage
    return values


def path_of(cause: RootCause) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The names along a path, as `store.filters.ast.RootCausePath` has them."""
    return tuple(
        (service.name, tuple(entity.name for entity in service.entities))
        for service in cause.services
    )
