"""What is read of processes."""

import os
import subprocess
import sys
import time

import pytest

from tests.benchmarks.machine import memory_mib, on_cores, processor_seconds, tree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
BUSY = "print('busy', flush=True)\nwhile True: pass"


def test_a_child_counts_for_its_parent() -> None:
    """Workers work; their parent waits."""
    with subprocess.Popen([sys.executable, "-c", PARENT, BUSY], stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        parent.stdout.readline()
        pids = tree(parent.pid)
        before, deadline = processor_seconds(parent.pid), time.monotonic() + 20
        while processor_seconds(parent.pid) < before + 0.1 and time.monotonic() < deadline:
            time.sleep(0.02)
        after, memory, peak = processor_seconds(parent.pid), memory_mib(parent.pid), memory_mib(parent.pid, peak=True)
        for pid in pids:
            os.kill(pid, 9)

    assert 2 == len(pids)
    assert after >= before + 0.1
    assert 5 < memory <= peak


def test_a_process_that_ended_uses_nothing() -> None:
    """It may end while its family is read."""
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        child.wait()

    assert 0 == processor_seconds(child.pid)
    assert 0 == memory_mib(child.pid)


def test_only_what_starts_within_is_held_to_cores() -> None:
    """The load must not stay on the server's core."""
    before = os.sched_getaffinity(0)
    with on_cores(0):
        child = subprocess.run(
            [sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"],
            capture_output=True,
            text=True,
            check=True,
        )

    assert "{0}" == child.stdout.strip()
    assert before == os.sched_getaffinity(0)
