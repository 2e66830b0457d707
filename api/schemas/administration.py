"""Shapes of /api/v1/keys, members, tenants, settings and audit, which `raymap.administration` serves."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from api.schemas.common import Instant, reply

KeyRole = Literal["ingest", "viewer", "editor", "admin"]
MemberRole = Literal["viewer", "editor", "admin"]
TenantName = Annotated[str, Field(description="empty: the default tenant")]
Days = Annotated[int, Field(description="of traces and their documents")]


class LimitsOfKey(TypedDict):
    """What one key may send; a limit that is absent is none."""

    documents_per_second: NotRequired[float]
    names_per_minute: NotRequired[int]
    bytes_per_day: NotRequired[int]


class KeyLine(TypedDict):
    """A key, without its secrets."""

    id: str
    name: str
    role: KeyRole
    tenant: TenantName
    access_key_id: str
    created: Instant
    expires: Annotated[Instant | None, Field(description="null: never")]
    revoked: Annotated[Instant | None, Field(description="null: it is not")]
    limits: LimitsOfKey | None


@reply
class KeyList(TypedDict):
    """The keys that are stored, oldest first; those of a keys file are not."""

    keys: list[KeyLine]


@reply
class IssuedKey(TypedDict):
    """A new key with its secrets, which no other answer has."""

    id: str
    token: str
    access_key_id: str
    secret_access_key: str


class MemberLine(TypedDict):
    """Someone who signs in with a password."""

    name: str
    role: MemberRole
    tenant: TenantName
    created: Instant


@reply
class MemberList(TypedDict):
    """The members by name; whom OpenID Connect or a proxy signs in is not stored."""

    members: list[MemberLine]


@reply
class MemberPassword(TypedDict):
    """A member with a new password, which no other answer has."""

    name: str
    password: str


class LimitsOfTenant(TypedDict):
    """What all keys of a tenant together may send to each process; a limit that is absent is none."""

    documents_per_second: NotRequired[float]
    bytes_per_day: NotRequired[int]


class TenantLine(TypedDict):
    """A tenant with what it has stored; the numbers are null while it has no database, and where the numbers are left out."""

    name: str
    default: Annotated[bool, Field(description="whether it is the default tenant")]
    created: Annotated[Instant | None, Field(description="null of the default tenant")]
    deleting: bool
    limits: LimitsOfTenant | None
    traces: int | None
    documents: int | None
    last_day: Annotated[int | None, Field(description="documents of the last 24 hours")]
    bytes: Annotated[int | None, Field(description="on disk, compressed")]


@reply
class TenantList(TypedDict):
    """The default tenant, then the others by name."""

    tenants: list[TenantLine]


@reply
class AddedTenant(TypedDict):
    """A tenant that is ready."""

    name: str
    new: Annotated[bool, Field(description="false: it existed, and is complete now")]
    note: Annotated[
        str,
        Field(description="why ClickHouse has no user of its own for it, if so; else empty"),
    ]


class SettingLine(TypedDict):
    """A setting; what is secret has … for a value."""

    name: str
    value: Annotated[str, Field(description="empty where nothing is set")]
    unset: Annotated[str, Field(description="what applies where nothing is set")]
    source: Literal["default", "file", "environment", "option", "database"]
    help: str


class SettingGroup(TypedDict):
    """Settings that belong together."""

    title: str
    settings: list[SettingLine]


@reply
class ServerSettings(TypedDict):
    """What applies on this server, and where each value comes from."""

    version: str
    groups: list[SettingGroup]
