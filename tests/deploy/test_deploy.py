"""What is in deploy/ fits this program: flags, names of metrics, units and images."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from collector.metrics import IngestMetrics
from collector.pipeline import IngestPipeline
from collector.receivers.http_routers import http_routers
from raymap.auth.datagrams import datagram_senders, sends_datagrams
from raymap.auth.permissions import Permission, required
from raymap.cli import app
from store.memory import MemoryStore
from tests.docs.metrics import exposed

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


def test_commands_run_as_the_units_user(tmp_path: Path) -> None:
    """The wrapper asks systemd for the unit's user, folder and mask, and passes its words on."""
    fake = tmp_path / "systemd-run"
    fake.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    fake.chmod(0o755)
    wrapper = DEPLOY / "systemd" / "raymap"
    words = ("key", "add", "two words", "--role", "ingest")
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        [wrapper, *words], env={"PATH": path}, capture_output=True, text=True, check=True
    )
    given = done.stdout.splitlines()
    start = given.index("/opt/raymap/bin/raymap")
    assert given[start + 1 :] == list(words)
    unit = (DEPLOY / "systemd" / "raymap.service").read_text().splitlines()
    properties = {each.removeprefix("--property=") for each in given if "--property=" in each}
    assert properties <= set(unit)
    assert {"DynamicUser=yes", "User=raymap", "StateDirectory=raymap"} <= properties
    assert f"ExecStart={given[start]} serve --config /etc/raymap/raymap.toml" in unit
    settings = tomllib.loads((DEPLOY / "systemd" / "raymap.toml").read_text())
    assert f"--setenv=RAYMAP_DATA_DIR={settings['data-dir']}" in given
    assert "install -m 755 systemd/raymap /usr/local/bin/" in (DEPLOY / "README.md").read_text()


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


def test_a_release_has_the_name_that_the_chart_pulls(tmp_path: Path) -> None:
    """Its tag is the chart's appVersion, and an owner's capitals are lowered: the step is run."""
    version = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text())["project"]["version"]
    chart = read(DEPLOY / "helm" / "raymap" / "Chart.yaml")
    assert chart["appVersion"] == chart["version"] == version
    image = read(DEPLOY.parent / ".github" / "workflows" / "release.yml")["jobs"]["image"]
    (naming,) = [step for step in image["steps"] if step.get("id") == "image"]
    (push,) = [step for step in image["steps"] if "build-push" in step.get("uses", "")]
    assert push["with"]["tags"] == "${{ steps.image.outputs.name }}"
    output = tmp_path / "output"
    given = {"GITHUB_REPOSITORY": "Some-Owner/Raymap", "GITHUB_REF_NAME": f"v{version}"}
    environment = {**os.environ, **given, "GITHUB_OUTPUT": str(output)}
    subprocess.run(["bash", "-e", "-c", naming["run"]], env=environment, check=True)
    assert output.read_text() == f"name=ghcr.io/some-owner/raymap:{version}\n"


@pytest.mark.parametrize(
    ("sender", "read_from"),
    [("10.244.1.7", True), ("100.64.3.2", True), ("fd00::1:2", True), ("8.8.8.8", False)],
)
def test_the_chart_reads_datagrams_of_pods(sender: str, read_from: bool) -> None:
    """By default, and it says from where: X-Ray's SDKs in other pods would send in vain."""
    values = read(DEPLOY / "helm" / "raymap" / "values.yaml")
    allowed = datagram_senders(values["collector"]["udpAllow"], values["auth"]["mode"])
    assert sends_datagrams(allowed, sender, {}) is read_from
    notes = (DEPLOY / "helm" / "raymap" / "templates" / "NOTES.txt").read_text()
    assert "They are read from {{ .Values.collector.udpAllow }}" in notes


def test_the_ingress_leads_what_is_sent_to_the_collectors(tmp_path: Path) -> None:
    """A pod of the API has no volume; trace documents of `raymap import` alone may go there."""
    manifest = (DEPLOY / "helm" / "raymap" / "templates" / "ingress.yaml").read_text()
    (listed,) = re.findall(r'range list((?: "[^"]+")+)', manifest)[:1]
    prefixes = re.findall(r'"([^"]+)"', listed)
    pipeline = IngestPipeline(MemoryStore(), tmp_path, metrics=IngestMetrics(CollectorRegistry()))
    paths = {route.path for router in http_routers(pipeline) for route in router.routes}  # type: ignore[attr-defined]
    assert len(paths) > 5
    for path in paths - {"/api/traces"}:
        assert required("POST", path) is Permission.INGEST
        assert any(path == each or path.startswith(f"{each}/") for each in prefixes), path


def test_alerts_name_metrics_that_exist() -> None:
    (group,) = read(DEPLOY / "prometheus" / "raymap.rules.yaml")["groups"]
    known = exposed()
    for rule in group["rules"]:
        named = set(re.findall(r"raymap_\w+", rule["expr"]))
        assert named or rule["expr"].startswith("up{")
        assert named <= known.keys(), rule["alert"]
        assert {"summary"} <= rule["annotations"].keys()


def test_each_alert_has_a_place_in_the_runbook() -> None:
    (group,) = read(DEPLOY / "prometheus" / "raymap.rules.yaml")["groups"]
    runbook = (DEPLOY.parent / "docs" / "runbook.md").read_text()
    headings = re.findall(r"^## (\w+)$", runbook, re.MULTILINE)
    assert sorted(headings) == sorted(rule["alert"] for rule in group["rules"])
    for rule in group["rules"]:
        link = f"docs/runbook.md#{rule['alert'].lower()}"
        assert rule["annotations"]["runbook_url"] == link


def test_alerts_are_tested() -> None:
    """`promtool test rules` runs the file; deploy/check.py calls it where promtool is installed."""
    (group,) = read(DEPLOY / "prometheus" / "raymap.rules.yaml")["groups"]
    tests = read(DEPLOY / "prometheus" / "raymap.test.yaml")["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == {
        rule["alert"] for rule in group["rules"]
    }


def dashboard() -> Any:
    return json.loads((DEPLOY / "grafana" / "raymap.json").read_text())


def expressions(panels: list[Any]) -> Iterator[tuple[str, str]]:
    """Of every panel: its title and a query."""
    for panel in panels:
        yield from ((panel["title"], each["expr"]) for each in panel.get("targets", ()))


def test_the_dashboard_names_metrics_and_labels_that_exist() -> None:
    known = exposed()
    found = list(expressions(dashboard()["panels"]))
    assert len(found) > 20
    for title, query in found:
        named = re.findall(r"(raymap_\w+?)(?:_bucket|_count)?\{", query)
        assert named, title
        for name in named:
            metric = known[name]
            assert ("_seconds_bucket" in query) <= (metric._type == "histogram"), title
            for labels in re.findall(r"by \(([^)]*)\)", query):
                wanted = set(labels.split(", ")) - {"le", "job", "instance"}
                assert wanted <= set(metric._labelnames), (title, name)
    assert {name for _, query in found for name in re.findall(r"raymap_\w+", query)} >= {
        name
        for rule in read(DEPLOY / "prometheus" / "raymap.rules.yaml")["groups"][0]["rules"]
        for name in re.findall(r"raymap_\w+", rule["expr"])
    }, "each alert's metric has a panel"


def test_the_dashboards_panels_are_in_their_places() -> None:
    """None over another, all of one data source, which is chosen when it is imported."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
        for target in panel.get("targets", ()):
            assert (
                target["datasource"]
                == panel["datasource"]
                == {
                    "type": "prometheus",
                    "uid": "${datasource}",
                }
            )


@pytest.mark.parametrize(("process", "role"), [("api", "read"), ("collector", "receive")])
def test_the_chart_probes_what_a_process_is_sent(process: str, role: str) -> None:
    """An API that can answer no query is taken out; a collector without ClickHouse is not."""
    templates = DEPLOY / "helm" / "raymap" / "templates"
    assert f'include "raymap.probes" "{role}"' in (templates / f"{process}.yaml").read_text()
    assert "/readyz?role={{ . }}" in (templates / "_helpers.tpl").read_text()
