"""What the peers and the profiler are installed from."""

import json
import re
from pathlib import Path

import pytest

PEERS = Path(__file__).parent / "peers"


@pytest.mark.parametrize("folder", ["peers/fastapi", "profiler"])
def test_packages_of_python_are_pinned_by_hash_and_name_no_registry(folder: str) -> None:
    """As the service's own are."""
    text = (PEERS.parent / folder / "requirements.txt").read_text()
    blocks = re.split(r"\n(?=[a-z])", text)

    assert all(blocks)
    assert [] == [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block]
    assert "://" not in text
    assert "--index" not in text


def test_packages_of_node_are_pinned_by_hash_and_name_no_registry() -> None:
    """A lock with addresses would hold everybody to one registry."""
    packages = json.loads((PEERS / "fastify" / "package-lock.json").read_text())["packages"]

    assert len(packages) > 10
    assert [] == [name for name, one in packages.items() if name and "integrity" not in one]
    assert [] == [name for name, one in packages.items() if "resolved" in one]
