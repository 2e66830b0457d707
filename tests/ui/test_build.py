"""The UI's build: what it stamps, what it skips, and that both plotly versions agree."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from plotly.offline import get_plotlyjs_version

import hatch_build
import ui
from store.rules.dimensions import Dimension
from ui.codegen.generate import header, is_stale, schema_document

ROOT = Path(hatch_build.__file__).parent
PACKAGE = json.loads((ROOT / "ui" / "package.json").read_text())


def test_the_browser_draws_with_the_version_that_python_writes_for() -> None:
    """A figure made for another plotly.js may be drawn wrongly, and silently."""
    wanted = PACKAGE["dependencies"]["plotly.js-cartesian-dist-min"]
    assert wanted == get_plotlyjs_version()


def test_the_lock_file_names_no_registry() -> None:
    """An install uses the registry of the one who installs."""
    assert "resolved" not in (ROOT / "ui" / "package-lock.json").read_text()


def test_runtime_dependencies_stay_few() -> None:
    """React draws the page, plotly the charts, TanStack Query fetched, CodeMirror edits filters; the
    map is our own."""
    assert set(PACKAGE["dependencies"]) == {
        "@codemirror/autocomplete",
        "@codemirror/commands",
        "@codemirror/lint",
        "@codemirror/state",
        "@codemirror/view",
        "@tanstack/react-query",
        "plotly.js-cartesian-dist-min",
        "react",
        "react-dom",
    }


def test_the_lock_files_of_the_code_generator_name_no_registry_either() -> None:
    """It is installed by `make api-types` alone."""
    assert "resolved" not in (ROOT / "ui" / "codegen" / "package-lock.json").read_text()


def test_the_api_types_match_the_server() -> None:
    """The console is type-checked against the answers of this server; `make api-types` renews them."""
    assert not is_stale()


def test_the_api_types_are_those_of_the_console() -> None:
    """X-Ray's operations are in the same document, and the console calls those of groups and
    sampling rules only."""
    schemas = json.loads(schema_document())["components"]["schemas"]
    assert {"ServiceMap", "ErrorReply", "XRayGroup", "XRaySamplingRule"} <= schemas.keys()
    assert "XRayTraceSummary" not in schemas


def test_the_console_splits_nodes_by_what_the_store_does() -> None:
    """And filters the parts by the same keywords."""
    source = (ROOT / "ui" / "src" / "model" / "grouping.ts").read_text()
    listed = re.search(r"DIMENSIONS = \[(.*?)\]", source, re.DOTALL)
    keywords = re.search(r"KEYWORDS: .*? = \{(.*?)\}", source, re.DOTALL)
    assert listed
    assert keywords
    assert re.findall(r"'(.*?)'", listed[1]) == [each.value for each in Dimension]
    assert dict(re.findall(r"(\w+): '(.*?)'", keywords[1])) == {
        each.value: each.keyword for each in Dimension if each.keyword != each.value
    }


@pytest.mark.slow
def test_types_of_other_schemas_are_stale(tmp_path: Path) -> None:
    """A field that the server added or dropped changes the hash in the first lines."""
    types = tmp_path / "types.gen.ts"
    assert is_stale(types)
    types.write_text(header(schema_document().replace("left_out", "omitted")))
    assert is_stale(types)
    types.write_text(header(schema_document()))
    assert not is_stale(types)


def make_ui(root: Path) -> Path:
    folder = root / "ui"
    (folder / "src").mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    (folder / "src" / "main.ts").write_text("export {}")
    return folder


def fake_npm(calls: list[tuple[str, ...]], folder: Path) -> type:
    class Fake:
        def __init__(self, ui: Path) -> None:
            pass

        def run(self, *words: str) -> None:
            calls.append(words)
            (folder / "dist").mkdir(exist_ok=True)

    return Fake


def test_unchanged_sources_are_not_built_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pip runs the hook for the metadata and again for the wheel."""
    folder = make_ui(tmp_path)
    calls: list[tuple[str, ...]] = []
    monkeypatch.setattr(hatch_build, "Npm", fake_npm(calls, folder))
    hatch_build.build_ui(folder)
    hatch_build.build_ui(folder)
    assert calls == [("ci",), ("run", "build")]
    (folder / "src" / "main.ts").write_text("export const changed = true")
    hatch_build.build_ui(folder)
    assert len(calls) == 4


def test_the_ui_can_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """RAYMAP_SKIP_UI=1 asks for no Node.js at all."""
    make_ui(tmp_path)
    monkeypatch.setenv("RAYMAP_SKIP_UI", "1")
    hatch_build.build(tmp_path)
    assert not (tmp_path / "ui" / "dist").exists()


def test_a_failing_npm_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of npm's own words, and the way out."""
    folder = make_ui(tmp_path)
    words = "echo ECONNREFUSED; exit 3"
    monkeypatch.setattr(hatch_build, "_find_npm", lambda: (["sh", "-c", words], ""))
    with pytest.raises(SystemExit, match=r"(?s)npm ci.*ECONNREFUSED.*RAYMAP_SKIP_UI=1"):
        hatch_build.build_ui(folder)


def test_stubs_import_one_another_by_their_package(tmp_path: Path) -> None:
    """protoc writes imports after the path it was given."""
    folder = tmp_path / "proto" / "raymap" / "v1"
    folder.mkdir(parents=True)
    (tmp_path / "collector").mkdir()
    source = 'syntax = "proto3"; package raymap.v1; message Echo { string text = 1; }'
    service = " service Echoes { rpc Say(Echo) returns (Echo); }"
    (folder / "echo.proto").write_text(source + service)
    hatch_build.build_stubs(tmp_path)
    stubs = tmp_path / "collector" / "_pb"
    assert "from collector._pb import echo_pb2" in (stubs / "echo_pb2_grpc.py").read_text()
    assert (stubs / "__init__.py").is_file()
    assert (stubs / "echo_pb2.pyi").is_file()


def test_without_a_proto_there_is_nothing_to_do(tmp_path: Path) -> None:
    """An install from a tree without proto/ still works."""
    hatch_build.build_stubs(tmp_path)
    assert not (tmp_path / "collector").exists()


def test_static_dir_is_the_built_folder_or_none() -> None:
    """The server need not know whether the UI was built."""
    found = ui.static_dir()
    assert found is None or (found / "index.html").is_file()


def first_load(manifest: dict[str, Any], *parts: str) -> dict[str, int]:
    """Files that the browser needs before it shows the entry and some parts, with their bytes (gzip)."""
    waiting, seen = ["index.html", *parts], set()
    files: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        chunk = manifest[name]
        files |= {chunk["file"], *chunk.get("css", [])}
        waiting += chunk.get("imports", [])
    dist = ROOT / "ui" / "dist"
    return {name: len(gzip.compress((dist / name).read_bytes())) for name in files}


BUDGET = 124_300
"""What a page waits for, a few bytes of which vary with the names of chunks; `test_traffic.py` counts what a browser fetched."""


@pytest.mark.parametrize("page", ["MapPage", "TracesPage", "TracePage"])
def test_the_first_load_stays_small(page: str) -> None:
    """Scripts and styles of a page, compressed, without the charts and the filter's editor, which
    are loaded when the page is on the screen."""
    manifest = json.loads((ROOT / "ui" / "dist" / ".vite" / "manifest.json").read_text())
    files = first_load(manifest, f"src/pages/{page}.tsx")
    assert sum(files.values()) <= BUDGET, files
    assert not [name for name in files if re.search("plotly|FilterEditor", name)]
