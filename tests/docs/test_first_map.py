"""docs/first-map/fastapi.md, followed literally, but for ports, the table and what is running or installed already."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from packaging.requirements import Requirement

from tests.conftest import ROOT, Server
from tests.ports import free_port
from tests.waiting import eventually

PAGE = ROOT / "docs" / "first-map" / "fastapi.md"
SHOP, TABLE = "first-map-shop", "first-map-orders"
"""In place of `shop` and `orders`: other tests send to the same server."""


def page() -> str:
    """The text of the page, with ports that are free, and names that other tests do not use."""
    text = PAGE.read_text()
    for port in ("8000", "9000"):
        text = text.replace(f":{port}", f":{(free := free_port())}")
        text = text.replace(f"--port {port}", f"--port {free}")
    text = text.replace("OTEL_SERVICE_NAME=shop", f"OTEL_SERVICE_NAME={SHOP}")
    return text.replace('Table("orders")', f'Table("{TABLE}")')


def files(text: str) -> dict[str, str]:
    """The files that the page has the reader write."""
    return dict(re.findall(r"^`([\w./]+)`[^\n]*:\n\n```\w*\n(.*?)^```", text, re.S | re.M))


def steps(text: str) -> list[str]:
    """What the page has the reader type: serve, install, start, send, look."""
    return re.findall(r"^```sh\n(.*?)^```", text, re.S | re.M)


def test_what_the_page_installs_is_what_is_tested() -> None:
    (line,) = re.findall(r"pip install (.*)", steps(PAGE.read_text())[1].replace("\\\n", " "))
    for name in line.split():
        assert distribution(Requirement(name).name), name


@pytest.fixture
def followed(raymap_server: Server, tmp_path: Path) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The page's remaining steps and their environment, once its services run."""
    text = page()
    for name, content in files(text).items():
        (tmp_path / name).write_text(content)
    serve, _, start, *rest = steps(text)
    assert serve == "raymap serve\n"
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{raymap_server.grpc}",
        "RAYMAP_URL": raymap_server.http,
        # Tests have the distribution of AWS as well, without what it needs.
        "OTEL_PYTHON_DISTRO": "distro",
        "OTEL_PYTHON_CONFIGURATOR": "configurator",
    }
    log = (tmp_path / "log").open("w")
    shell = subprocess.Popen(
        ["bash", "-c", f"{start}\nwait"],
        cwd=tmp_path,
        env=environment,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        for port in re.findall(r"--port (\d+)", start):
            eventually(partial(listens, port), f"port {port} is open", ignore=(OSError,))
        yield rest, environment
    finally:
        os.killpg(shell.pid, signal.SIGTERM)
        shell.wait(30)
        log.close()


def listens(port: str) -> bool:
    """Whether something does; a request would be on the map."""
    with socket.create_connection(("127.0.0.1", int(port)), timeout=10):
        return True


def test_the_page_leads_to_the_map_that_it_describes(
    followed: tuple[list[str], dict[str, str]], raymap_server: Server
) -> None:
    (send, look), environment = followed
    sent = subprocess.run(["bash", "-c", send], env=environment, capture_output=True, timeout=120)
    assert sent.stdout.decode().count("packed") == 3

    def figures() -> Any:
        nodes = {
            node["name"]: node
            for node in raymap_server.get("/api/v1/map?from=-10m")["services"]
            if node["kind"] != "client" and node["name"] in (SHOP, TABLE)
        }
        complete = len(nodes) == 2 and all(node["requests"] >= 4 for node in nodes.values())
        return complete and nodes

    nodes = eventually(figures, "four requests of both are on the map")
    assert [nodes[SHOP][each] for each in ("requests", "ok", "fault")] == [4, 3, 1]
    assert [nodes[TABLE][each] for each in ("requests", "ok", "fault")] == [4, 4, 0]
    assert nodes[TABLE]["type"] == "AWS::DynamoDB::Table"
    filter = quote(f'service("{SHOP}") {{ fault }}')
    (failed,) = raymap_server.get(f"/api/v1/traces?from=-10m&filter={filter}")["traces"]
    assert b"KeyError" in raymap_server.read(f"/api/v1/traces/{failed['id']}")
    tree = subprocess.run(["bash", "-c", look], env=environment, capture_output=True, timeout=60)
    lines = tree.stdout.decode().splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith(SHOP))
    assert f"└─ {TABLE}" in lines[at + 1]
