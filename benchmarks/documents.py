"""How long documents take, each time in a new process: workspaces and large patchsets.

    python benchmarks/documents.py
    python benchmarks/documents.py --smoke             # the example alone, once

A workspace is read, checked with parsing, and built into a model; importing hfjax and
JAX is not counted. A patchset of a given size repeats the patches of a likelihood under
other names; it is read and checked, and each of its patches is applied. The memory is
what the process had at most, less what it had before.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from report import circumstances, heading, save, seconds, table
from workloads import LIKELIHOODS, Workload, example, workloads

Times = dict[str, float]
MEGABYTES = (15, 30, 60)


def main() -> int:
    """Measure all documents that are there, and print a table of each kind."""
    options = _options()
    if options.alone:
        print(json.dumps(ALONE[options.alone](*map(Path, options.files))))
        return 0
    there = [example()] if options.smoke else workloads(LIKELIHOODS)
    sizes = (1,) if options.smoke else MEGABYTES
    result = circumstances()
    print(heading(result))
    result["workspaces"] = [_workspace(each, options.repeats) for each in there]
    print(f"\n{_table(result['workspaces'])}")
    result["patchsets"] = [_patchset(there[-1], size) for size in sizes]
    print(f"\n{_table(result['patchsets'])}")
    save(options.json, result)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How long documents take.")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--smoke", action="store_true", help="one quick pass")
    parser.add_argument("--json", type=Path, help="write everything measured")
    parser.add_argument("--alone", choices=ALONE, help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.repeats = 1 if options.smoke else options.repeats
    return options


def workspace_alone(path: Path) -> Times:
    """Read, check and build a workspace in this process."""
    import jax

    import hfjax

    jax.config.update("jax_enable_x64", True)
    jax.block_until_ready(jax.numpy.zeros(1))
    read, document = _timed(lambda: json.loads(path.read_bytes()))
    check, workspace = _timed(lambda: hfjax.Workspace.parse(document))
    build, _ = _timed(lambda: jax.block_until_ready(hfjax.build(workspace)[0].block))
    return {"read": read, "check": check, "build": build, "sum": read + check + build}


def patchset_alone(path: Path, background: Path) -> Times:
    """Read and check a patchset, and apply all of its patches, in this process."""
    import hfjax

    workspace = hfjax.Workspace.load(background)
    before = _peak()
    load, patchset = _timed(lambda: hfjax.PatchSet.load(path))
    memory = _peak() - before
    apply, _ = _timed(lambda: sum(len(p.apply(workspace).channels) for p in patchset))
    return {"load": load, "apply all": apply, "memory, MB": memory}


ALONE: dict[str, Callable[..., Times]] = {
    "workspace": workspace_alone,
    "patchset": patchset_alone,
}


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = perf_counter()
    value = call()
    return perf_counter() - start, value


def _peak() -> float:
    """Most memory that this process has had, in megabytes."""
    unit = 1e6 if sys.platform == "darwin" else 1e3
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _in_new_process(what: str, *files: Path) -> Times:
    command = [sys.executable, __file__, "--alone", what, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _workspace(workload: Workload, repeats: int) -> dict[str, Any]:
    runs = [_in_new_process("workspace", workload.workspace) for _ in range(repeats)]
    times = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    size = workload.workspace.stat().st_size / 1e6
    return {"document": workload.workspace.parent.name, "MB": size, **times}


def _patchset(workload: Workload, megabytes: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "patchset.json"
        count = _repeat(workload.patchset, megabytes, path)
        times = _in_new_process("patchset", path, workload.workspace)
        size = path.stat().st_size / 1e6
    name = f"{workload.workspace.parent.name}, {count} patches"
    return {"document": name, "MB": size, **times}


def _repeat(source: Path, megabytes: float, target: Path) -> int:
    """Write the patches of a patchset again and again, until there is so much."""
    document = json.loads(source.read_bytes())
    times = max(1, round(megabytes * 1e6 / len(json.dumps(document))))
    document["patches"] = [
        _renamed(patch, turn) for turn in range(times) for patch in document["patches"]
    ]
    target.write_text(json.dumps(document), encoding="utf-8")
    return len(document["patches"])


def _renamed(patch: dict[str, Any], turn: int) -> dict[str, Any]:
    """A patch under another name, with another first value."""
    own = patch["metadata"]
    first, *others = own["values"]
    other = f"{first}.{turn}" if isinstance(first, str) else first + 1e6 * turn
    name = {"name": f"{own['name']}_{turn}", "values": [other, *others]}
    return {**patch, "metadata": {**own, **name}}


def _table(rows: list[dict[str, Any]]) -> str:
    cells = [[_cell(*item) for item in row.items()] for row in rows]
    return table(list(rows[0]), cells)


def _cell(key: str, value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:.3g}" if "MB" in key else seconds(value)


if __name__ == "__main__":
    sys.exit(main())
