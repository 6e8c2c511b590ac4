"""What every report carries: when, on what, with which versions; and plain tables."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

OURS = ("hfjax", "jax", "jaxlib", "equinox", "numpy")


def circumstances() -> dict[str, Any]:
    """Date, machine, versions and commit of this run."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "python": platform.python_version(),
        "versions": versions(OURS),
        "commit": _commit(),
    }


def machine() -> dict[str, Any]:
    """Processor, cores and the load the machine was under, as far as it tells."""
    load = os.getloadavg() if hasattr(os, "getloadavg") else (None,)
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load average": load[0],
    }


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.processor()


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty"]
    folder = Path(__file__).parent
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def versions(names: Sequence[str]) -> dict[str, str]:
    """The installed version of each distribution, "absent" if there is none."""
    return {name: _version(name) for name in names}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def heading(facts: dict[str, Any]) -> str:
    """The circumstances in two lines."""
    box = facts["machine"]
    numbers = ", ".join(
        f"{name} {number}" for name, number in facts["versions"].items()
    )
    return (
        f"{facts['date']}  {box['processor']}, {box['cores']} cores, "
        f"load {box['load average']}\nPython {facts['python']}, {numbers}"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns, to be read as it is or pasted."""
    cells = [list(head), *[list(row) for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(_line(row, widths) for row in [cells[0], rule, *cells[1:]])


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    return "| " + " | ".join(padded) + " |"


def seconds(value: float | None) -> str:
    """A duration with three significant digits and a unit that fits.

    >>> seconds(0.0123456)
    '12.3 ms'
    """
    if value is None:
        return "-"
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if value * scale >= 1:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e6:.3g} us"


def save(path: Path | None, result: dict[str, Any]) -> None:
    """Write a result as JSON, if a file was asked for."""
    if path is not None:
        path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
