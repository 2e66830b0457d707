"""What is in deploy/ fits this program: flags, names of metrics, units and images."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from raymap.cli import app
from tests.test_docs import exposed_names

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
COMPOSE = sorted((DEPLOY / "docker").glob("compose*.yaml"))


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def test_the_units_configuration_is_valid() -> None:
    path = DEPLOY / "systemd" / "raymap.toml"
    everything = re.sub(r"^# (?=[a-z-]+ = )", "", path.read_text(), flags=re.MULTILINE)
    assert everything.count("=") > path.read_text().count("\n#"), "comments were opened"
    result = CliRunner().invoke(app, ["config", "check", str(path)])
    assert result.exit_code == 0


@pytest.mark.parametrize("path", COMPOSE, ids=lambda path: path.name)
def test_containers_run_commands_that_exist_without_privileges(path: Path) -> None:
    services = read(path)["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "raymap"}
    assert ours
    for service in ours.values():
        command, *options = service["command"]
        shown = CliRunner().invoke(app, [command, "--help"])
        assert shown.exit_code == 0
        for flag in (each for each in options if each.startswith("--")):
            assert flag in shown.output
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        for port in service.get("ports", ()):
            assert "/udp" not in port or port.startswith("127.0.0.1:"), "UDP carries no key"


def test_the_image_is_built_from_what_exists() -> None:
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    ignore = (DEPLOY / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE)
        for word in line.split()
    ]
    assert copied
    for name in copied:
        assert (DEPLOY.parent / name).exists(), name
        assert f"!{name}" in ignore
    assert "USER 10001:10001" in text


def test_alerts_name_metrics_that_exist() -> None:
    (group,) = read(DEPLOY / "prometheus" / "raymap.rules.yaml")["groups"]
    known = exposed_names()
    for rule in group["rules"]:
        named = set(re.findall(r"raymap_\w+", rule["expr"]))
        assert named
        assert named <= known.keys(), rule["alert"]
        assert {"summary"} <= rule["annotations"].keys()
