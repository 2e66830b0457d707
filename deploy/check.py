"""Check what is in this folder with the tools of those who read it: `python deploy/check.py`.

Runs each tool that is on the PATH and says what became of it; a tool that is missing is counted as not run,
never as passed. Exits 1 if a check failed. README.md says where the tools come from.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DEPLOY = Path(__file__).resolve().parent
ROOT = DEPLOY.parent
CHART = DEPLOY / "helm" / "raymap"
KUBERNETES = ("1.27.0", "1.31.0", "1.37.0")
"""The oldest that the chart accepts, one that is common, and the newest."""
VARIABLES = {
    "RAYMAP_AUTH_SECRET": "x" * 32,
    "CLICKHOUSE_PASSWORD": "example",
    "CLICKHOUSE_ADMIN_PASSWORD": "example",
    "CLICKHOUSE_BACKUP_PASSWORD": "example",
}
"""What the compose files require of the environment."""
LEAST = {"clickhouse.secret": "ch", "auth.secret": "auth"}
"""The chart's values that have no default; `EVERYTHING` turns on what can be."""
EVERYTHING = {
    **LEAST,
    "auth.mode": "ingest-warn",
    "collector.autoscaling.enabled": "true",
    "collector.autoscaling.queueDocuments": "20000",
    "api.autoscaling.enabled": "true",
    "kafka.brokers": "kafka:9093",
    "kafka.topics": "otlp_spans\\,acme=otlp_proto@acme",
    "kafka.secret": "kafka",
    "kafka.autoscaling.enabled": "true",
    "kafka.autoscaling.lagRecords": "1000",
    "collector.udpAllow": "10.0.0.0/8",
    "collector.udpTenants.2001": "acme",
    "collector.udpTenants.2002": "globex",
    "ingress.enabled": "true",
    "ingress.host": "raymap.example",
    "serviceMonitor.enabled": "true",
    "serviceMonitor.tokenSecret": "viewer",
}
Outcome = tuple[str, bool | None, str]
"""Name, whether it passed (None: not run), and what the tool said."""


def main() -> int:
    outcomes = []
    for check in (hadolint, compose, helm_lint, kubeconform, promtool, systemd, actionlint, aws):
        for outcome in check():
            name, passed, said = outcome
            outcomes.append(passed)
            word = "not run" if passed is None else "passed" if passed else "FAILED"
            print(f"{word:<8} {name}{': ' + said if said else ''}", flush=True)
    counts = [f"{outcomes.count(each)} {word}" for each, word in WORDS]
    print(", ".join(counts))
    return int(False in outcomes)


WORDS: tuple[tuple[bool | None, str], ...] = (
    (True, "passed"),
    (False, "failed"),
    (None, "not run"),
)


def run(name: str, *command: str | Path, given: str | None = None) -> Outcome:
    """One command; what it said last."""
    tool = str(command[0])
    if shutil.which(tool) is None:
        return name, None, f"{tool} is not installed"
    ended = subprocess.run(
        [str(each) for each in command],
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**VARIABLES, **os.environ},
        check=False,
    )
    lines = [each for each in ended.stdout.splitlines() if each.strip()]
    if ended.returncode:
        return name, False, "\n  ".join(lines[:20])
    return name, True, lines[-1].strip() if lines else ""


def hadolint() -> Iterator[Outcome]:
    yield run("Dockerfile", "hadolint", DEPLOY / "docker" / "Dockerfile")


def compose() -> Iterator[Outcome]:
    """By Docker's own parser: a plugin of `docker`, or installed alone."""
    plugin = (
        subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if shutil.which("docker")
        else None
    )
    tool = ["docker", "compose"] if plugin and plugin.returncode == 0 else ["docker-compose"]
    for path in sorted((DEPLOY / "docker").glob("compose*.yaml")):
        yield run(path.name, *tool, "--file", path, "config", "--quiet")


def helm_lint() -> Iterator[Outcome]:
    yield run("chart", "helm", "lint", "--strict", CHART, *_set(LEAST))


def kubeconform() -> Iterator[Outcome]:
    """The manifests that the chart renders, against the schemas of several versions of Kubernetes."""
    with tempfile.TemporaryDirectory(prefix="raymap-schemas-") as folder:
        schemas = Path(folder)
        for version in KUBERNETES:
            found = _schemas(version, schemas / f"v{version}")
            for name, values in (("least", LEAST), ("everything", EVERYTHING)):
                label = f"manifests of {version}, {name}"
                if not found:
                    yield label, None, f"kubernetes-validate has no schemas of {version} here"
                    continue
                rendered = run(
                    label,
                    "helm",
                    "template",
                    "release",
                    CHART,
                    *_set(values),
                    f"--kube-version={version}",
                )
                yield rendered if not rendered[1] else _validate(label, version, values, schemas)


def _validate(label: str, version: str, values: dict[str, str], schemas: Path) -> Outcome:
    template = "{{ .NormalizedKubernetesVersion }}/{{ .ResourceKind }}{{ .KindSuffix }}.json"
    manifests = subprocess.run(
        ["helm", "template", "release", str(CHART), f"--kube-version={version}", *_set(values)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout
    # A ServiceMonitor is Prometheus Operator's, of which Kubernetes has no schema.
    flags = ["-strict", "-summary", "-kubernetes-version", version, "-skip", "ServiceMonitor"]
    return run(
        label, "kubeconform", *flags, "-schema-location", f"{schemas}/{template}", given=manifests
    )


def _set(values: dict[str, str]) -> list[str]:
    return [f"--set={key}={value}" for key, value in values.items()]


def _schemas(version: str, into: Path) -> bool:
    """The schemas that the Python package has, with references that lead to their own folder."""
    try:
        import kubernetes_validate
    except ImportError:
        return False
    package = Path(kubernetes_validate.__file__).parent
    source = package / "kubernetes-json-schema" / f"v{version}-local-strict"
    if not source.is_dir():
        return False
    into.mkdir()
    for path in source.glob("*.json"):
        schema = json.loads(path.read_text())
        schema.pop("$id", None)
        (into / path.name).write_text(json.dumps(_local(schema)))
    return True


def _local(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_local(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.replace("/api/_definitions.json", "_definitions.json")
        if key == "$ref" and isinstance(value, str)
        else _local(value)
        for key, value in schema.items()
    }


def aws() -> Iterator[Outcome]:
    """The template, in the regions that differ most in what they have, and Terraform's form; its validation would
    fetch the provider."""
    regions = ("--regions", "us-east-1", "eu-west-1", "ap-southeast-2")
    yield run("AWS template", "cfn-lint", "--template", DEPLOY / "aws" / "raymap.yaml", *regions)
    yield run("AWS module", "terraform", "fmt", "-check", "-diff", DEPLOY / "aws" / "terraform")


def promtool() -> Iterator[Outcome]:
    for path in sorted((DEPLOY / "prometheus").glob("*.rules.yaml")):
        yield run(path.name, "promtool", "check", "rules", path)
    for path in sorted((DEPLOY / "prometheus").glob("*.test.yaml")):
        yield run(path.name, "promtool", "test", "rules", path)


def systemd() -> Iterator[Outcome]:
    """The unit, with a program that exists in place of the one that it would start."""
    unit = DEPLOY / "systemd" / "raymap.service"
    with tempfile.TemporaryDirectory(prefix="raymap-unit-") as folder:
        copy = Path(folder) / unit.name
        copy.write_text(unit.read_text().replace("/opt/raymap/bin/raymap", "/bin/true"))
        yield run("unit", "systemd-analyze", "verify", "--man=no", copy)
        exposed = ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(copy)]
        yield run("sandbox of the unit", *exposed)


def actionlint() -> Iterator[Outcome]:
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        yield run(f"workflow {path.name}", "actionlint", path)


if __name__ == "__main__":
    sys.exit(main())
