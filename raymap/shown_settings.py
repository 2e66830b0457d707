"""The settings of a command as people see them: by group, with their sources, without what is secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

VARIABLE = "RAYMAP_SHOWN_SETTINGS"
"""By which `raymap serve` passes on its own to the API process, which knows its part of them alone."""
SOURCES = {
    "COMMANDLINE": "option",
    "ENVIRONMENT": "environment",
    "DEFAULT_MAP": "file",
    "DEFAULT": "default",
}
SECRETS = {"oidc-client-secret"}
STORED = {"retention-days", "log-retention"}
"""What a start writes to the database, which says what applies."""
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Receivers and addresses": (
        *("host", "port", "grpc-port", "otlp-port", "http", "shared", "udp-tenant", "udp-allow"),
        *("allowed-host", "trusted-proxy", "insecure", "public-url"),
    ),
    "Topics of Kafka": ("kafka", "topic", "kafka-config"),
    "Authentication": (
        *("auth", "keys-file", "oidc-issuer", "oidc-client-id", "oidc-client-secret"),
        *("oidc-claim", "oidc-roles", "oidc-tenants"),
    ),
    "TLS": ("tls-cert", "tls-key", "tls-client-ca"),
    "Redaction": ("redact-defaults", "redact"),
    "Storage": (
        *("data-dir", "clickhouse", "clickhouse-memory", "clickhouse-port"),
        *("journal-size", "linger"),
    ),
    "Limits and console": (
        *("sampling-rate", "max-groups", "max-document-size", "unhealthy-share", "unhealthy-count"),
        *("map-boxes", "environment-annotation", "log-link", "webhook-host"),
    ),
    "Processes": ("workers", "drain-seconds", "log-level", "log-format", "self-trace", "demo"),
}
_PASSWORD = re.compile(r"(//[^/?#\s:@]*:)[^/?#\s]*@")


class ShownSetting(Struct, frozen=True):
    """``value`` is empty where nothing is set; ``unset`` says what applies then."""

    name: str
    value: str
    source: str
    help: str = ""
    unset: str = ""


def shown_settings(context: Any) -> list[ShownSetting]:
    """Those of a command by its parsed context, in the order of its flags."""
    command, values = context.command, context.params
    return [
        _shown(parameter, values.get(parameter.name), context.get_parameter_source(parameter.name))
        for parameter in command.params
        if parameter.name not in (None, "config", "help", "context")
        and not getattr(parameter, "hidden", False)
    ]


def _shown(parameter: Any, value: object, source: Any) -> ShownSetting:
    name = parameter.opts[0].lstrip("-")
    text = _as_toml(value)
    if name in SECRETS and text:
        text = "…"
    unset = parameter.show_default if isinstance(parameter.show_default, str) else ""
    shown = _PASSWORD.sub(r"\1…@", text)
    return ShownSetting(name, shown, SOURCES[source.name], parameter.help or "", unset)


def _as_toml(value: object) -> str:
    """As it would be written in the file; nothing where nothing is set."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def with_values(
    settings: Iterable[ShownSetting], effective: Mapping[str, object]
) -> list[ShownSetting]:
    """The settings with what a process has made of some, such as a port that was free."""
    return [
        replace(each, value=_as_toml(effective[each.name])) if each.name in effective else each
        for each in settings
    ]


def environment_of_shown(settings: Iterable[ShownSetting]) -> dict[str, str]:
    """A child's environment, from which `inherited` has them."""
    return {VARIABLE: msgspec.json.encode(list(settings)).decode()}


def inherited() -> list[ShownSetting] | None:
    """What the parent has passed on; None without one."""
    text = os.environ.get(VARIABLE, "")
    return msgspec.json.decode(text, type=list[ShownSetting]) if text else None


def by_group(settings: Iterable[ShownSetting]) -> dict[str, list[ShownSetting]]:
    """Groups that are not empty, in their order."""
    by_name = {each.name: each for each in settings}
    found = {
        title: [by_name[name] for name in names if name in by_name]
        for title, names in GROUPS.items()
    }
    return {title: some for title, some in found.items() if some}
