"""The declaration of the demo's shop is what its template says."""

from __future__ import annotations

import json

from raymap.contrib.declare.templates.reader import Place, read_template
from raymap.demo.declared import DECLARATION
from store.declared.model import read_declaration


def test_the_declaration_is_the_templates() -> None:
    """`raymap.demo.declared` says how the file is made."""
    template = DECLARATION.with_name("template.yaml")
    place = Place("shop", "123456789012", "eu-west-1", "prod")
    assert read_template(template, place, {}) == read_declaration(
        json.loads(DECLARATION.read_text())
    )
