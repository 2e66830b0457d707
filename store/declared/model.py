"""What the template of a stack declares: its resources, and the calls they may make. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, NamedTuple, Protocol

import msgspec
from msgspec import Meta, Struct

from store.declared.identity import KINDS

MAX_STACKS = 200
MAX_RESOURCES = 2_000
"""Of a stack; CloudFormation's own limit is 500."""
MAX_CALLS = 20_000
MAX_NOTES = 200
MAX_NOTE = 500

Name = Annotated[str, Meta(max_length=300)]
Note = Annotated[str, Meta(max_length=MAX_NOTE)]


class Evidence(StrEnum):
    """What in a template says that a resource may call another."""

    POLICY = "policy"
    """A statement of an IAM policy allows it."""
    EVENT = "event"
    """The target is invoked by events, messages or requests of the source."""
    TASK = "task"
    """A state of a state machine calls it."""
    DELIVERY = "delivery"
    """A dead-letter queue or a destination; the service delivers, and traces show no call."""
    ENVIRONMENT = "environment"
    """Only an environment variable names it: the weakest."""


class Tracing(StrEnum):
    """Whether a template turns on active tracing."""

    ON = "on"
    OFF = "off"
    NONE = ""
    """The resource has no such setting."""


class Resource(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A resource. ``id``: the logical ID, unique in the stack. ``type``: CloudFormation's, of `KINDS`.

    ``name``: the physical name, where ``*`` stands for what is known only when it is deployed; '' if
    CloudFormation makes the name. ``external``: it is part of another stack, or of none.
    ``dead_letter``: only failures reach it. ``unrestricted``: services (``dynamodb``; ``*`` is any) of
    which its policies allow any resource, so that its calls cannot be listed.
    """

    id: Name
    type: Name
    name: Name = ""
    external: bool = False
    dead_letter: bool = False
    tracing: Tracing = Tracing.NONE
    unrestricted: Annotated[tuple[Name, ...], Meta(max_length=100)] = ()


class Call(Struct, frozen=True, forbid_unknown_fields=True):
    """A call, or a delivery of events, that may happen; ``source`` and ``target`` are ids."""

    source: Name
    target: Name
    evidence: Annotated[tuple[Evidence, ...], Meta(min_length=1, max_length=5)]


class Declaration(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A stack; '' of account, region and environment is any. ``template``: the file's name.

    ``notes``: what the template leaves open, in sentences.
    """

    stack: Annotated[str, Meta(min_length=1, max_length=200)]
    account: Annotated[str, Meta(max_length=20)] = ""
    region: Annotated[str, Meta(max_length=40)] = ""
    environment: Name = ""
    template: Name = ""
    resources: Annotated[tuple[Resource, ...], Meta(max_length=MAX_RESOURCES)] = ()
    calls: Annotated[tuple[Call, ...], Meta(max_length=MAX_CALLS)] = ()
    notes: Annotated[tuple[Note, ...], Meta(max_length=MAX_NOTES)] = ()

    @property
    def key(self) -> StackKey:
        """What identifies it."""
        return StackKey(self.stack, self.account, self.region)


class StackKey(NamedTuple):
    """A stack of an account and region has one declaration."""

    stack: str
    account: str
    region: str


class Declared(NamedTuple):
    """A stored declaration; ``at``: when it was stored, microseconds since the epoch."""

    declaration: Declaration
    at: int


class InvalidDeclaration(ValueError):
    """What is wrong with a declaration: where, and what was expected."""


class DeclarationStore(Protocol):
    """Stores what stacks declare, until it is replaced or removed."""

    def put_declaration(self, declaration: Declaration, at: int) -> None:
        """Store it in place of any with its key; ``at`` is now, in microseconds."""
        ...

    def remove_declaration(self, key: StackKey, at: int) -> bool:
        """Remove one; False if there was none."""
        ...

    def declarations(self) -> list[Declared]:
        """All, by key."""
        ...


def read_declaration(body: Mapping[str, Any]) -> Declaration:
    """The declaration in a request's JSON. Raises InvalidDeclaration."""
    try:
        declaration = msgspec.convert(body, Declaration)
    except msgspec.ValidationError as error:
        raise InvalidDeclaration(str(error)) from None
    known: set[str] = set()
    for at, resource in enumerate(declaration.resources):
        _check(resource, f"resources[{at}]", known)
        known.add(resource.id)
    for at, call in enumerate(declaration.calls):
        for end in (call.source, call.target):
            if end not in known:
                raise InvalidDeclaration(
                    f"calls[{at}] names {end[:60]!r}, which no resource has as id"
                )
    return declaration


def _check(resource: Resource, where: str, known: set[str]) -> None:
    if not resource.id or resource.id in known:
        raise InvalidDeclaration(f"{where}.id must be given, and once, got {resource.id[:60]!r}")
    if resource.type not in KINDS:
        raise InvalidDeclaration(
            f"{where}.type must be one of {', '.join(sorted(KINDS))}, got {resource.type[:60]!r}"
        )
