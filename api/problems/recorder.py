"""Makes the record of a problem: with whom it reaches, how it has gone, what its traces say, what changed before it."""

from __future__ import annotations

from api.problems import reach
from api.problems.detector import Detector
from api.problems.record import Evidence, Record
from api.problems.tracker import Problem
from api.problems.words import line
from store.model import TimeRange
from store.protocol import Store
from store.times import MINUTE


def record_of(store: Store, detector: Detector, problem: Problem, evidence: Evidence) -> Record:
    """A problem as of the last minute of a detector. ``evidence``: of its traces."""
    now = detector.minute + 1
    window = TimeRange(problem.since * MINUTE, (problem.ended or now) * MINUTE)
    clients = reach.entering(problem, detector.edges)
    changes = reach.changes(store, problem, detector.new_edges())
    return Record(
        problem=problem,
        text=line(problem, evidence.words, changes),
        entries=tuple(sorted(clients)),
        clients=reach.client_requests(store, clients, window),
        root=reach.node_requests(store, problem.origin, window),
        evidence=evidence,
        points=reach.points(store, problem, now),
        changes=tuple(changes),
        updated=now * MINUTE,
    )
