"""Settings as flags and environment variables, and how a child process gets its own."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from raymap.flags import environment_of, with_settings
from raymap.settings import (
    ApiSettings,
    ClickHouseSettings,
    CollectSettings,
    DemoSettings,
    ServeSettings,
)

CHANGED: dict[str, Any] = {
    "data_dir": Path("/tmp/of the child"),
    "clickhouse": "clickhouse://u:p@host:9/db",
    "host": "127.0.0.2",
    "port": 11,
    "allowed_host": "a.example,b.example",
    "insecure": True,
    "auth": "ingest-warn",
    "keys_file": Path("/tmp/keys.json"),
    "trusted_proxy": "10.0.0.0/8,::1/128",
    "tls_cert": Path("/tmp/cert.pem"),
    "tls_key": Path("/tmp/key.pem"),
    "tls_client_ca": Path("/tmp/ca.pem"),
    "drain_seconds": 3.0,
    "log_level": "error",
    "log_format": "json",
    "grpc_port": 12,
    "udp_tenant": "2001=acme",
    "udp_allow": "10.0.0.0/8",
    "otlp_port": 13,
    "linger": 0.25,
    "kafka": "first:9092,second:9092",
    "topic": "spans,segments=xray@acme",
    "kafka_config": Path("/tmp/kafka.properties"),
    "journal_size": 64 << 20,
    "http": False,
    "shared": True,
    "sampling_rate": 0.5,
    "clickhouse_memory": 1 << 30,
    "clickhouse_port": 14,
    "lock_wait": 4.0,
    "redact": '[{"rule": "pin", "keys": ["pin"]}]',
    "redact_defaults": False,
    "oidc_issuer": "https://idp.example",
    "oidc_client_id": "raymap",
    "oidc_client_secret": "a secret",
    "oidc_claim": "roles",
    "oidc_roles": "sre=admin,*=viewer",
    "oidc_tenants": "acme-staff=acme",
    "public_url": "https://raymap.example",
    "log_link": "https://logs.example.com/?q={trace_id}",
    "webhook_host": "hooks.example.com,*.internal",
    "self_trace": True,
    "unhealthy_share": 0.25,
    "unhealthy_count": 9,
    "map_boxes": "account",
    "environment_annotation": "stage",
    "url": "http://127.0.0.9:99",
    "rate": 2.5,
    "duration": 9.0,
    "seed": 7,
    "max_groups": 30,
    "max_document_size": 2 << 20,
    "retention_days": 7,
    "log_retention": 3,
    "workers": 3,
    "demo": True,
}


@pytest.mark.parametrize(
    "role", [CollectSettings, ApiSettings, ClickHouseSettings, DemoSettings, ServeSettings]
)
@pytest.mark.parametrize("changed", [False, True])
def test_a_child_reads_what_its_parent_set(role: Any, changed: bool) -> None:
    """Every field survives the environment, and nothing is inherited from the parent's own."""
    values = {each.name: CHANGED[each.name] for each in fields(role)} if changed else {}
    wanted = role(**values)
    seen = []

    def command(settings: Annotated[Any, "a settings type"]) -> None:
        seen.append(settings)

    command.__annotations__["settings"] = role
    child = typer.Typer()
    child.command()(with_settings(command))
    inherited = {} if changed else {"RAYMAP_OTLP_PORT": "9", "RAYMAP_DURATION": "9"}
    result = CliRunner().invoke(child, [], env={**inherited, **environment_of(wanted)})
    assert result.exit_code == 0, result.output
    assert seen == [wanted]
