"""The chart renders to what it should: no privileges, no secrets in it, commands and variables that exist."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from collector.kafka.settings import parse_topics
from deploy.check import CHART, DEPLOY, EVERYTHING, LEAST
from raymap.cli import app
from raymap.flags import environment_of
from raymap.settings import ApiSettings, CollectSettings

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
    """Templates of pods by what makes them: its kind, and its name without the release's."""
    return {
        f"{each['kind']} {_name(each).removeprefix('release-')}": each["spec"]["template"]["spec"]
        for each in found
        if "template" in each["spec"]
    }


@needs_helm
@pytest.mark.parametrize("values", [LEAST, EVERYTHING], ids=["least", "everything"])
def test_pods_have_no_privileges_and_run_what_exists(values: dict[str, str]) -> None:
    found = pods(render(values))
    consumer = {"StatefulSet consumer"} if "kafka.brokers" in values else set()
    assert set(found) == {"StatefulSet collector", "Deployment api", "Job migrate", *consumer}
    known = {
        *environment_of(CollectSettings()),
        *environment_of(ApiSettings()),
        "RAYMAP_AUTH_SECRET",
    }
    for name, spec in found.items():
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
        assert mounted == {"data", "tmp", *(["kafka"] if "consumer" in name else [])}


@needs_helm
def test_collectors_have_a_volume_each() -> None:
    """Consumers too: their quarantine."""
    found = [each for each in render(EVERYTHING) if each["kind"] == "StatefulSet"]
    assert len(found) == 2
    for each in found:
        (claim,) = each["spec"]["volumeClaimTemplates"]
        assert claim["metadata"]["name"] == "data"
        assert each["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


@needs_helm
def test_a_collector_that_is_stopped_waits_for_its_journal() -> None:
    """Long enough to be stopped as usual after that."""
    spec = pods(render(LEAST))["StatefulSet collector"]
    command = spec["containers"][0]["lifecycle"]["preStop"]["exec"]["command"]
    assert command == ["raymap", "journal", "wait", "--seconds", "300"]
    assert spec["terminationGracePeriodSeconds"] >= 300 + 45
    shown = CliRunner().invoke(app, [*command[1:3], "--help"])
    assert "--seconds" in shown.output


@needs_helm
def test_what_scales_has_no_number_of_its_own() -> None:
    """Each autoscaler has a target that exists, and each target a disruption budget."""
    found = render(EVERYTHING)
    scalers = [each["spec"] for each in found if each["kind"] == "HorizontalPodAutoscaler"]
    assert len(scalers) == 3
    for each in scalers:
        target = each["scaleTargetRef"]
        (made,) = [
            one for one in found if (one["kind"], _name(one)) == (target["kind"], target["name"])
        ]
        assert "replicas" not in made["spec"]
        budgets = [
            one
            for one in found
            if (one["kind"], _name(one)) == ("PodDisruptionBudget", _name(made))
        ]
        assert len(budgets) == 1
    assert all(
        "replicas" in each["spec"] for each in render(LEAST) if each["kind"] == "StatefulSet"
    )


@needs_helm
def test_consumers_read_topics_that_are_understood() -> None:
    spec = pods(render(EVERYTHING))["StatefulSet consumer"]
    env = {each["name"]: each.get("value") for each in spec["containers"][0]["env"]}
    assert [topic.tenant for topic in parse_topics(env["RAYMAP_TOPIC"])] == ["", "acme"]
    assert env["RAYMAP_KAFKA"] == "kafka:9093"
    folder, _, name = env["RAYMAP_KAFKA_CONFIG"].rpartition("/")
    assert name == "kafka.properties"
    mounts = {each["name"]: each["mountPath"] for each in spec["containers"][0]["volumeMounts"]}
    assert mounts["kafka"] == folder
    (policy,) = [each for each in render(EVERYTHING) if each["kind"] == "NetworkPolicy"]
    ports = [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]
    assert {9092, 9093} <= {*ports}


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
    assert (kinds.count("Ingress"), kinds.count("PodDisruptionBudget")) == (2, 3)
    assert {"HorizontalPodAutoscaler", "NetworkPolicy", "ServiceMonitor"} <= set(kinds)


@needs_helm
def test_tenants_have_udp_ports_of_their_own() -> None:
    """Of the process, the pod, the service and the policy alike."""
    found = {each["kind"]: each for each in render(EVERYTHING) if "collector" in _name(each)}
    (container,) = pods([found["StatefulSet"]])["StatefulSet collector"]["containers"]
    (given,) = [each["value"] for each in container["env"] if each["name"] == "RAYMAP_UDP_TENANT"]
    assert CollectSettings(udp_tenant=given).udp_tenants == {2001: "acme", 2002: "globex"}
    pod = {each["name"]: each["containerPort"] for each in container["ports"]}
    service = {each["port"]: pod[each["targetPort"]] for each in found["Service"]["spec"]["ports"]}
    assert {2001: 2001, 2002: 2002}.items() <= service.items()
    (policy,) = [each for each in render(EVERYTHING) if each["kind"] == "NetworkPolicy"]
    for port in (2001, 2002):
        assert {"port": port, "protocol": "UDP"} in policy["spec"]["ingress"][0]["ports"]


def _name(manifest: dict[str, Any]) -> str:
    name: str = manifest["metadata"]["name"]
    return name


@needs_helm
@pytest.mark.parametrize("missing", sorted(LEAST))
def test_what_is_required_is_named(missing: str) -> None:
    assert helm is not None
    words = [f"--set={key}={value}" for key, value in LEAST.items() if key != missing]
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
