"""Frames a second while a map of thousands of services is moved: ``python -m bench.console``.

A real browser without a GPU, so every pixel is the CPU's; the target is 40 frames a second for
2,000 services with as many edges, panning and zooming alike.
"""

from __future__ import annotations

import argparse

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.server import running
from tests.ui.conftest import CHROMIUM, FLAGS
from tests.ui.maps import grid_map, serve_map

MOVE = """async (gesture) => {
  const times = []
  const forth = () => times.length % 120 < 60
  const gestures = {
    pan: () => window.__map.pan(forth() ? 14 : -14, 3),
    pinch: () => window.__map.zoom(forth() ? 1.03 : 1 / 1.03, 500, 300),
    wheel: () => window.__map.zoom(times.length % 24 < 12 ? 1.17 : 1 / 1.17, 500, 300),
  }
  await new Promise((resolve) => {
    const step = (now) => {
      times.push(now)
      gestures[gesture]()
      if (now - times[0] < 3000) requestAnimationFrame(step)
      else resolve()
    }
    requestAnimationFrame(step)
  })
  return [times.length - 1, (times.at(-1) - times[0]) / 1000]
}"""

GESTURES = ("pan", "pinch", "wheel")


def measured(page: Page, gesture: str) -> tuple[float, float]:
    """Frames a second, and milliseconds of the main thread's CPU time for each, however busy the machine."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before = _task_seconds(session)
    frames, seconds = page.evaluate(MOVE, gesture)
    cpu = _task_seconds(session) - before
    session.detach()
    return frames / seconds, 1000 * cpu / frames


def _task_seconds(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")


def main() -> None:
    """Prints the frames a second of each round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    wanted = parser.parse_args()
    answer = grid_map(wanted.nodes, wanted.nodes // 40)
    with running() as server, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1440, "height": 900})
        serve_map(page, lambda: answer)
        page.goto(server.http + "/map?test=1")
        page.locator("[data-node]").first.wait_for(state="attached")
        for gesture in GESTURES:
            rounds = [measured(page, gesture) for _ in range(wanted.rounds)]
            rates = ", ".join(f"{rate:.1f}" for rate, _ in rounds)
            cpu = ", ".join(f"{ms:.1f}" for _, ms in rounds)
            print(f"{wanted.nodes} services, {gesture}: {rates} frames/s, {cpu} ms CPU a frame")
        chromium.close()


if __name__ == "__main__":
    main()
