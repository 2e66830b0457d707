"""The chart renders to what it should: no privileges, no secrets in it, commands and variables that exist."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from raymap.cli import app
from raymap.flags import environment_of
from raymap.settings import ApiSettings, CollectSettings

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
CHART = DEPLOY / "helm" / "raymap"
REQUIRED = {"clickhouse.secret": "ch", "auth.secret": "auth"}
EVERYTHING = {
    **REQUIRED,
    "collector.autoscaling.enabled": "true",
    "collector.autoscaling.queueDocuments": "20000",
    "collector.udpAllow": "10.0.0.0/8",
    "ingress.enabled": "true",
    "ingress.host": "raymap.example",
    "serviceMonitor.enabled": "true",
    "serviceMonitor.tokenSecret": "viewer",
    "auth.mode": "ingest-warn",
}

helm = shutil.which("helm")
needs_helm = pytest.mark.skipif(
    helm is None, reason="helm is not installed: the chart is not rendered"
)


def render(values: dict[str, str]) -> list[dict[str, Any]]:
    assert helm is not None
    words = [f"--set={key}={value}" for key, value in values.items()]
    ended = subprocess.run(
        [helm, "template", "release", str(CHART), "--kube-version=1.31.0", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return [each for each in yaml.safe_load_all(ended.stdout) if each]


def pods(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Templates of pods by kind of what makes them."""
    return {
        each["kind"]: each["spec"]["template"]["spec"]
        for each in found
        if "template" in each["spec"]
    }


@needs_helm
@pytest.mark.parametrize("values", [REQUIRED, EVERYTHING], ids=["least", "everything"])
def test_pods_have_no_privileges_and_run_what_exists(values: dict[str, str]) -> None:
    found = pods(render(values))
    assert set(found) == {"StatefulSet", "Deployment", "Job"}
    known = {
        *environment_of(CollectSettings()),
        *environment_of(ApiSettings()),
        "RAYMAP_AUTH_SECRET",
    }
    for spec in found.values():
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["automountServiceAccountToken"] is False
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        command, *options = container["args"]
        shown = CliRunner().invoke(app, [command, "--help"])
        assert shown.exit_code == 0
        assert all(flag in shown.output for flag in options if flag.startswith("--"))
        names = [each["name"] for each in container["env"]]
        assert len(names) == len(set(names))
        assert set(names) <= known
        for each in container["env"]:
            if each["name"] in ("RAYMAP_CLICKHOUSE", "RAYMAP_AUTH_SECRET"):
                assert "secretKeyRef" in each["valueFrom"]
        mounted = {each["name"] for each in container["volumeMounts"]}
        assert mounted == {"data", "tmp"}


@needs_helm
def test_collectors_have_a_volume_each() -> None:
    (collector,) = [each for each in render(REQUIRED) if each["kind"] == "StatefulSet"]
    (claim,) = collector["spec"]["volumeClaimTemplates"]
    assert claim["metadata"]["name"] == "data"
    assert collector["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


@needs_helm
def test_services_and_policies_select_pods_that_exist() -> None:
    found = render(EVERYTHING)
    labels = [
        each["spec"]["template"]["metadata"]["labels"]
        for each in found
        if "template" in each["spec"]
    ]
    for each in found:
        selector = each["spec"].get("selector") or each["spec"].get("podSelector")
        if selector is None or each["kind"] in ("StatefulSet", "Deployment", "ServiceMonitor"):
            continue
        wanted = selector.get("matchLabels", selector)
        assert any(wanted.items() <= has.items() for has in labels), each["metadata"]["name"]
    kinds = [each["kind"] for each in found]
    assert kinds.count("Ingress") == kinds.count("PodDisruptionBudget") == 2
    assert {"HorizontalPodAutoscaler", "NetworkPolicy", "ServiceMonitor"} <= set(kinds)


@needs_helm
@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_what_is_required_is_named(missing: str) -> None:
    assert helm is not None
    words = [f"--set={key}={value}" for key, value in REQUIRED.items() if key != missing]
    ended = subprocess.run(
        [helm, "template", "release", str(CHART), "--kube-version=1.31.0", *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode != 0
    assert missing in ended.stderr


def test_the_task_of_ecs_runs_what_exists() -> None:
    (container,) = json.loads((DEPLOY / "ecs" / "task.json").read_text())["containerDefinitions"]
    command, *options = container["command"]
    shown = CliRunner().invoke(app, [command, "--help"])
    assert all(flag in shown.output for flag in options if flag.startswith("--"))
    assert container["readonlyRootFilesystem"] is True
    assert container["user"] == "10001:10001"
    assert {each["name"] for each in container["secrets"]} == {
        "RAYMAP_CLICKHOUSE",
        "RAYMAP_AUTH_SECRET",
    }
