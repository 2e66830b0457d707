"""What people see of settings: every one in one group, with its source, without what is secret."""

from __future__ import annotations

from typing import Any

import pytest
import typer.main

from raymap.cli import app
from raymap.config_file import COMMANDS
from raymap.shown_settings import (
    GROUPS,
    SECRETS,
    STORED,
    VARIABLE,
    ShownSetting,
    by_group,
    environment_of_shown,
    inherited,
    shown_settings,
    with_values,
)

PROGRAM: Any = typer.main.get_command(app)


def shown(command: str, *words: str) -> dict[str, ShownSetting]:
    context = PROGRAM.commands[command].make_context(command, [*words])
    return {each.name: each for each in shown_settings(context)}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_setting_has_one_group(command: str) -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    names = {name.removeprefix("no-") for name in shown(command)}
    assert names - STORED - {*grouped} == set()
    found = by_group(shown(command).values())
    assert sum(map(len, found.values())) == len(names - STORED)


def test_no_group_names_a_setting_that_is_gone() -> None:
    known = {name for command in COMMANDS for name in shown(command)}
    assert {name for names in GROUPS.values() for name in names} <= known
    assert known >= SECRETS | STORED


def test_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAYMAP_LOG_LEVEL", "debug")
    found = shown("serve", "--port", "7")
    assert (found["port"].value, found["port"].source) == ("7", "option")
    assert (found["log-level"].value, found["log-level"].source) == ("debug", "environment")
    assert (found["host"].value, found["host"].source) == ("127.0.0.1", "default")
    assert found["host"].help == "Address to listen on."
    assert found["clickhouse"].unset == "the embedded one"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ("clickhouse://u:secret@host:9000/db", "clickhouse://u:…@host:9000/db"),
        ("clickhouse://u:se:cr@et@host/db?secure=1", "clickhouse://u:…@host/db?secure=1"),
        ("clickhouse://:secret@[::1]:9000", "clickhouse://:…@[::1]:9000"),
        ("clickhouse://host:9000/db", "clickhouse://host:9000/db"),
    ],
)
def test_passwords_in_urls(given: str, seen: str) -> None:
    assert shown("serve", "--clickhouse", given)["clickhouse"].value == seen


def test_secrets() -> None:
    """What is secret says that it is set, and no more."""
    found = shown("serve", "--oidc-client-secret", "hush")["oidc-client-secret"]
    assert (found.value, found.source) == ("…", "option")
    assert shown("serve")["oidc-client-secret"].value == ""
    assert "hush" not in str(shown("serve", "--oidc-client-secret", "hush"))


def test_a_child_has_its_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what the parent has made of some."""
    settings = with_values(shown("serve").values(), {"port": 4000, "otlp-port": None})
    monkeypatch.delenv(VARIABLE, raising=False)
    assert inherited() is None
    for name, value in environment_of_shown(settings).items():
        monkeypatch.setenv(name, value)
    assert inherited() == settings
    assert {each.name: each.value for each in settings}["port"] == "4000"
