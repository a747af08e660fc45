"""This machine: which core a process runs on, what a process and its children use, and what the table says of it."""

import os
import platform
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
SERVER_CORE = 0
OTHER_CORE = 1


@contextmanager
def on_cores(*cores: int) -> Generator[None]:
    """Processes that are started within run on these cores alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree(root: int) -> list[int]:
    """A process and everything below it."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and (fields := _stat(int(folder.name))):
            children.setdefault(int(fields[1]), []).append(int(folder.name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def processor_seconds(root: int) -> float:
    """User and system time of a process and everything below it."""
    return sum((int(fields[11]) + int(fields[12])) / _TICKS_PER_SECOND for pid in tree(root) if (fields := _stat(pid)))


def memory_mib(root: int, *, peak: bool = False) -> float:
    """Resident memory of a process and everything below it, now or at most; shared pages count in each."""
    return sum(_status_kib(pid, "VmHWM:" if peak else "VmRSS:") for pid in tree(root)) / 1024


def describe(interpreter: Path) -> str:
    """The machine in one line: date, processor, cores, kernel, and the Python that both services in it run on."""
    python = subprocess.run([interpreter, "-V"], capture_output=True, text=True, check=True).stdout.strip()
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return (
        f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}; {cpu}, {os.cpu_count()} cores;"
        f" Linux {platform.release()}; {python};"
        f" load average before the run {os.getloadavg()[0]:.1f}"
    )


def _stat(pid: int) -> list[str]:
    """What follows the name in /proc/PID/stat; empty for a process that has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _status_kib(pid: int, key: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(key)), 0)
