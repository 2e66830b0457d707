"""What the shop's template declares, sent as a pipeline would with `raymap declare`.

    raymap declare raymap/demo/template.yaml --dry-run --json --stack shop \
        --account 123456789012 --region eu-west-1 --environment prod > raymap/demo/declaration.json

``declaration.json`` is what that prints: a demo needs no translator of templates.
"""

from __future__ import annotations

import json
from pathlib import Path

from raymap.demo.server import request

PATH = "/api/v1/declarations"
DECLARATION = Path(__file__).parent / "declaration.json"


def put_declaration(address: str) -> None:
    """Declare the stack in place of what it declared before. What is not taken is lost."""
    request(address, "POST", PATH, json.loads(DECLARATION.read_text()))
