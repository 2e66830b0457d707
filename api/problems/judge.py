"""Detector, origins and tracker together, minute by minute."""

from __future__ import annotations

from collections.abc import Sequence

from api.problems.detector import Detector, Names
from api.problems.origin import findings
from api.problems.tracker import Event, Problem, Tracker
from store.minutes import MinuteCounts


class Judge:
    """Judges the minutes of a map."""

    def __init__(self, names: Names, known: Sequence[Problem] = ()) -> None:
        self.detector = Detector(names)
        self.tracker = Tracker(known)

    def learn(self, counts: MinuteCounts) -> None:
        """Learn from the next minute, and open no problem; what it shows may still open one later."""
        self.detector.step(counts)

    def step(self, counts: MinuteCounts) -> list[Event]:
        """What the next minute changes."""
        self.detector.step(counts)
        symptoms = self.detector.symptoms()
        found = findings(symptoms, self.detector.edges) if symptoms else []
        return self.tracker.update(self.detector.minute, found)
