"""A test that takes more CPU time than is planned is named, unless it says that it is slow, as is one that retains memory."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests import costs
from tests.conftest import ROOT

TESTS = """
import subprocess, sys
import pytest
BURN = [sys.executable, "-c", "import time\\nwhile time.process_time() < 1.5: pass"]
def test_of_a_moment(): pass
RETAINED = []
def test_that_retains(): RETAINED.append(b"x" * (80 << 20))
def test_that_frees(): len(b"x" * (80 << 20))
class Circle:
    def __init__(self): self.own, self.content = self, b"x" * (80 << 20)
def test_that_leaves_garbage(): Circle()
@pytest.fixture
def dear(): subprocess.run(BURN, check=True)
def test_with_a_dear_fixture(dear): pass
def test_of_a_child(): subprocess.run(BURN, check=True)
@pytest.mark.slow
def test_that_may(): subprocess.run(BURN, check=True)
"""
PLUGIN = """
import tests.costs
tests.costs.BOUND = 1.0
pytest_configure = tests.costs.measure
"""


@pytest.mark.skipif(sys.platform != "linux", reason="no figures of processes")
@pytest.mark.parametrize("workers", ["0", "1"])
def test_a_test_beyond_the_bound_is_named(tmp_path: Path, workers: str) -> None:
    """Also if a process that it started took the time, and in a worker."""
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text(PLUGIN)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    command = [sys.executable, "-m", "pytest", "-n", workers, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""}
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == pytest.ExitCode.OK, ended.stdout
    beyond = [line for line in ended.stdout.splitlines() if line.startswith("over budget")]
    assert [line.rpartition("::")[2] for line in beyond] == ["test_of_a_child"]
    grown = [line for line in ended.stdout.splitlines() if line.startswith("memory")]
    assert [line.rpartition("::")[2] for line in grown] == ["test_that_retains"]
    assert re.search("CPU seconds: [34] in calls, [12] in fixtures", ended.stdout), ended.stdout
    assert "7 passed" in ended.stdout


def test_a_process_that_no_one_waits_for_gives_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its seconds are in no figure once it has ended, as those of a page's renderer, closed by a fixture."""
    figures, moments = iter([5.0, 4.0]), iter([1.0, 2.0, 2.0])
    item: Any = SimpleNamespace(user_properties=[])
    with monkeypatch.context() as patched:  # this test is measured, too
        patched.setattr(costs, "spent", lambda: next(figures))
        patched.setattr(costs, "time", SimpleNamespace(monotonic=lambda: next(moments)))
        phase = costs.Measured()._phase(item, "teardown")
        next(phase)
        with pytest.raises(StopIteration):
            next(phase)
    assert item.user_properties == [("cpu of teardown", 0.0)]
