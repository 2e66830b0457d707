"""What whole templates declare. `python -m tests.raymap.contrib.declare.templates.test_golden` writes the files anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from raymap.contrib.declare.command import described
from raymap.contrib.declare.templates.reader import Place, read_template

SAMPLES = Path(__file__).parent / "samples"
TEMPLATES = ("shop.yaml", "payments.yaml", "events.json", "fulfilment.asl.json", "nested.yaml")
PLACE = Place("shop", "123456789012", "eu-west-1", "dev")


def declared(name: str) -> str:
    return described(read_template(SAMPLES / name, PLACE, {})) + "\n"


def golden(name: str) -> Path:
    return SAMPLES / f"{name}.txt"


@pytest.mark.parametrize("name", TEMPLATES)
def test_what_a_template_declares(name: str) -> None:
    assert declared(name) == golden(name).read_text()


if __name__ == "__main__":
    for name in TEMPLATES:
        golden(name).write_text(declared(name))
