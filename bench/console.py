"""Frames a second while a map of thousands of services is panned: ``python -m bench.console``.

A real browser without a GPU, so every pixel is the CPU's; the target is 40 frames a second for
2,000 services with as many edges.
"""

from __future__ import annotations

import argparse
import shutil

from playwright.sync_api import sync_playwright

from bench.server import running
from tests.ui.conftest import FLAGS
from tests.ui.maps import grid_map, serve_map

PAN = """async () => {
  const times = []
  await new Promise((resolve) => {
    const step = (now) => {
      times.push(now)
      window.__map.pan(times.length % 120 < 60 ? 14 : -14, 3)
      if (now - times[0] < 3000) requestAnimationFrame(step)
      else resolve()
    }
    requestAnimationFrame(step)
  })
  return (1000 * (times.length - 1)) / (times.at(-1) - times[0])
}"""


def main() -> None:
    """Prints the frames a second of each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    answer = grid_map(wanted.nodes, wanted.nodes // 40)
    with running() as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        serve_map(page, lambda: answer)
        page.goto(server.http + "/map?test=1")
        page.locator("[data-node]").first.wait_for(state="attached")
        rates = [page.evaluate(PAN) for _ in range(wanted.rounds)]
        chromium.close()
    shown = ", ".join(f"{rate:.1f}" for rate in rates)
    print(f"{wanted.nodes} nodes, {len(answer['edges'])} edges: {shown} frames/s")


if __name__ == "__main__":
    main()
