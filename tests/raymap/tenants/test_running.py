"""What a process runs for each tenant: begun when it is needed, ended with the tenant."""

from __future__ import annotations

from pathlib import Path

from collector.journal.writer import Journal
from raymap.auth.tenants import FOLDER, Tenant, Tenants, new_tenant
from raymap.tenants.running import Running
from tests.waiting import eventually

ACME, GLOBEX = new_tenant("acme", 1), new_tenant("globex", 1)


class Part:
    def __init__(self, tenant: Tenant) -> None:
        self.tenant, self.state = tenant, "made"

    def start(self) -> None:
        self.state = "started"

    def stop(self) -> None:
        self.state = "stopped"


class Registry:
    """The tenants as a process knows them."""

    def __init__(self, *active: Tenant) -> None:
        self.tenants: Tenants | None = Tenants({each.name: each for each in active}, frozenset())

    def __call__(self) -> Tenants | None:
        return self.tenants


def running(registry: Registry, folder: Path, *, lazy: bool) -> tuple[Running[Part], list[Part]]:
    made: list[Part] = []

    def make(tenant: Tenant) -> Part:
        made.append(Part(tenant))
        return made[-1]

    return Running(registry, make, folder, lazy=lazy), made


def test_eager_parts_begin_with_their_tenant_and_end_with_the_process(tmp_path: Path) -> None:
    registry = Registry(ACME)
    parts, made = running(registry, tmp_path, lazy=False)
    parts.start()
    eventually(lambda: [part.state for part in made] == ["started"])
    registry.tenants = Tenants({"acme": ACME, "globex": GLOBEX}, frozenset())
    eventually(lambda: len(made) == 2)
    assert parts.get(ACME) is made[0]
    parts.stop()
    assert [part.state for part in made] == ["stopped", "stopped"]


def test_lazy_parts_begin_with_a_request_or_for_a_journal_that_was_left(tmp_path: Path) -> None:
    registry = Registry(ACME, GLOBEX)
    parts, made = running(registry, tmp_path, lazy=True)
    root = tmp_path / FOLDER / GLOBEX.folder / "journal"
    journal = Journal.create(root, "collector")
    parts.look()
    assert made == []  # its process lives
    journal.release()
    parts.look()
    assert [part.tenant for part in made] == [GLOBEX]
    parts.get(ACME)
    assert [part.tenant for part in made] == [GLOBEX, ACME]


def test_the_part_of_a_deleted_tenant_ends_and_its_journals_go(tmp_path: Path) -> None:
    registry = Registry(ACME)
    parts, made = running(registry, tmp_path, lazy=False)
    parts.look()
    folder = tmp_path / FOLDER / ACME.folder / "journal"
    folder.mkdir(parents=True)
    (folder / "x.log").write_text("documents")
    registry.tenants = Tenants({}, frozenset({ACME.folder}))
    parts.look()
    assert made[0].state == "stopped"
    assert not (tmp_path / FOLDER / ACME.folder).exists()


def test_journals_of_a_tenant_that_nothing_is_known_of_stay(tmp_path: Path) -> None:
    """The registry may be that of another database, or not have been read."""
    registry = Registry()
    parts, _ = running(registry, tmp_path, lazy=True)
    folder = tmp_path / FOLDER / ACME.folder / "journal"
    folder.mkdir(parents=True)
    parts.look()
    registry.tenants = None
    parts.look()
    assert folder.exists()


def test_others_start_although_one_cannot(tmp_path: Path) -> None:
    registry = Registry(ACME, GLOBEX)
    made: list[Part] = []

    def make(tenant: Tenant) -> Part:
        if tenant is ACME and len(made) < 1:
            raise OSError("no space left")
        made.append(Part(tenant))
        return made[-1]

    parts: Running[Part] = Running(registry, make, tmp_path, lazy=False)
    parts.look()
    assert [part.tenant for part in made] == [GLOBEX]
    parts.look()
    assert [part.tenant for part in made] == [GLOBEX, ACME]
