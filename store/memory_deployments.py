"""The reference implementation of `store.deployments.DeploymentStore`, on a dictionary."""

from __future__ import annotations

from store.deployments import Deployment
from store.model import TimeRange


class MemoryDeployments:
    """Deployments by id. Docstrings of the protocol apply."""

    def __init__(self) -> None:
        self._deployments: dict[str, Deployment] = {}

    def put_deployment(self, deployment: Deployment, at: int) -> None:
        """Remember a deployment."""
        self._deployments[deployment.id] = deployment

    def remove_deployment(self, id: str, at: int) -> bool:
        """Forget a deployment."""
        return self._deployments.pop(id, None) is not None

    def deployments(self, window: TimeRange, *, limit: int) -> list[Deployment]:
        """The latest first."""
        found = [each for each in self._deployments.values() if each.at in window]
        return sorted(found, key=lambda each: (-each.at, each.id))[:limit]
