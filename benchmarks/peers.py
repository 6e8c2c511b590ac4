"""hfjax, pyhf 0.7.6 and NextStat 0.10.1 on the same signal points, in one run.

    python benchmarks/peers.py                          # points with reference values
    python benchmarks/peers.py staus --points 16        # others, evenly spaced

The tools take turns, point by point, each in a process of its own. Their virtual
environments are made in a cache folder at the first run. A point's time at pyhf and
NextStat goes from the patch to CLs, with the model building; at hfjax it is the
warm scan of all the points divided by their number, and its patches, building and
first (compiling) call are rows of their own.
"""

import argparse
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import agreement
from environments import REQUIREMENTS, default_cache, environment, program
from protocol import Tool
from report import circumstances, heading, save, seconds, table
from workloads import LIKELIHOODS, Workload, workloads

Result = dict[str, Any]


def main() -> int:
    """Run the comparison; the exit code says whether hfjax itself failed."""
    options = _options()
    tools, absent = _start(options)
    result = circumstances()
    result["tools"] = {name: tool.ask("about") for name, tool in tools.items()}
    result["absent"] = absent
    print(heading(result), _tools_line(result), sep="\n")
    result["likelihoods"] = {}
    for workload in workloads(options.likelihoods or LIKELIHOODS):
        measured = measure(workload, tools, options)
        result["likelihoods"][workload.name] = measured
        print(f"\n{summary(workload, measured)}", flush=True)
        save(options.json, result)
    for tool in tools.values():
        tool.close()
    return int(_hfjax_failed(result))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("likelihoods", nargs="*", help=", ".join(LIKELIHOODS))
    parser.add_argument("--points", type=int, help="so many points, evenly spaced")
    parser.add_argument("--poi", type=float, default=1.0, help="tested value")
    parser.add_argument("--peers", default="pyhf,nextstat", help="comma separated")
    parser.add_argument("--cache", type=Path, default=default_cache())
    parser.add_argument("--logs", type=Path, help="folder for stderr of the tools")
    parser.add_argument("--json", type=Path, help="write everything measured")
    return parser.parse_args()


def _start(options: argparse.Namespace) -> tuple[dict[str, Tool], dict[str, str]]:
    logs = options.logs or options.cache / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    tools, absent = {}, {}
    tools["hfjax"] = Tool(Path(sys.executable), "peer_hfjax.py", logs / "hfjax.log")
    for name in filter(None, options.peers.split(",")):
        try:
            python = program(environment(name, options.cache), "python")
        except (KeyError, subprocess.CalledProcessError) as error:
            absent[name] = f"{type(error).__name__}: {error} ({REQUIREMENTS.get(name)})"
        else:
            tools[name] = Tool(python, f"peer_{name}.py", logs / f"{name}.log")
    return tools, absent


def _tools_line(result: Result) -> str:
    lines = [f"{name}: {about}" for name, about in result["tools"].items()]
    lines += [f"{name}: not installed: {why}" for name, why in result["absent"].items()]
    return "\n".join(lines)


def measure(
    workload: Workload, tools: dict[str, Tool], options: argparse.Namespace
) -> Result:
    """All tools on all points of one likelihood, taking turns."""
    names = workload.names(options.points)
    files = {
        "workspace": str(workload.workspace),
        "patchset": str(workload.patchset),
        "poi": options.poi,
    }
    ours = tools["hfjax"]
    prepared = ours.ask("prepare", names=names, **files)
    peers = {name: tool for name, tool in tools.items() if name != "hfjax"}
    points: dict[str, dict[str, Result]] = {name: {} for name in peers}
    warm = []
    for name in names:
        warm.append(ours.ask("scan"))
        for peer, tool in peers.items():
            points[peer][name] = tool.ask("point", name=name, **files)
    points["hfjax"] = ours.ask("points").get("points", {})
    return {"names": names, "prepared": prepared, "warm": warm, "points": points}


def summary(workload: Workload, measured: Result) -> str:
    """Times, ratios, agreement and failures of one likelihood as text."""
    parts = [
        f"## {workload.name}: {len(measured['names'])} points",
        _times(measured),
        _agreement(workload, measured),
        "\n".join(_failures(measured)),
    ]
    return "\n\n".join(part for part in parts if part)


def _times(measured: Result) -> str:
    ours = warm_seconds(measured)
    rows = [["hfjax", "-", "-", seconds(ours), "1"]]
    for peer in _peers(measured):
        first, later = point_seconds(measured, peer)
        ratio = f"{later / ours:.3g}" if ours and later else "-"
        building = _median_of(measured, peer, lambda s: s["patch"] + s["build"])
        rows.append([peer, seconds(first), seconds(building), seconds(later), ratio])
    head = ["tool", "first point", "patch and build", "a point", "over hfjax"]
    return "\n".join([table(head, rows), _prepared_line(measured)])


def _prepared_line(measured: Result) -> str:
    stages = measured["prepared"].get("seconds", {})
    listed = ", ".join(f"{name} {seconds(value)}" for name, value in stages.items())
    return f"\nhfjax, once for all points: {listed}" if listed else ""


def warm_seconds(measured: Result) -> float | None:
    """The median warm scan of hfjax, divided by the number of points."""
    scans = [reply["seconds"] for reply in measured["warm"] if "seconds" in reply]
    return statistics.median(scans) / len(measured["names"]) if scans else None


def point_seconds(measured: Result, peer: str) -> tuple[float | None, float | None]:
    """A peer's first point, and the median of the later ones (the first if alone)."""
    replies = measured["points"][peer].values()
    totals = [sum(reply["seconds"].values()) for reply in replies if "seconds" in reply]
    if not totals:
        return None, None
    return totals[0], statistics.median(totals[1:] or totals)


def _median_of(
    measured: Result, peer: str, stage: Callable[[dict[str, float]], float]
) -> float | None:
    replies = list(measured["points"][peer].values())
    values = [stage(reply["seconds"]) for reply in replies if "seconds" in reply]
    return statistics.median(values[1:] or values) if values else None


def _agreement(workload: Workload, measured: Result) -> str:
    sides: dict[str, dict[str, Result]] = dict(measured["points"])
    if workload.witness:
        sides["reference"] = workload.witness
    pairs = [("hfjax", other) for other in sides if other != "hfjax"]
    if workload.witness:
        pairs += [("reference", peer) for peer in _peers(measured)]
    rows = [_pair(sides, *pair) for pair in pairs]
    head = ["pair", "points", "CLs_obs", "CLs_exp", "2NLL, second minus first"]
    return table(head, [row for row in rows if row])


def _pair(sides: dict[str, dict[str, Result]], one: str, two: str) -> list[str]:
    first, second = sides[one], sides[two]
    both = [
        n for n in first if "CLs_obs" in first[n] and "CLs_obs" in second.get(n, {})
    ]
    sizeable = [name for name in both if (first[name]["CLs_obs"] or 0) > agreement.TINY]

    def largest(compare: Callable[[Result, Result], float], names: list[str]) -> str:
        values = ((name, compare(first[name], second[name])) for name in names)
        return str(agreement.worst(values))

    if not both:
        return []
    return [
        f"{one}, {two}",
        f"{len(both)} ({len(sizeable)} with CLs > {agreement.TINY:g})",
        largest(agreement.cls_obs, sizeable),
        largest(agreement.cls_exp, sizeable),
        largest(agreement.excess, both),
    ]


def _failures(measured: Result) -> Iterator[str]:
    for stage in [measured["prepared"], *measured["warm"][:1]]:
        if "error" in stage:
            yield f"hfjax failed: {stage['error']}"
    for tool, replies in measured["points"].items():
        for name, reply in replies.items():
            if "error" in reply:
                yield f"{tool} failed on {name}: {reply['error']}"
            elif reply.get("unconverged"):
                yield f"{tool} on {name}: unconverged at {reply['unconverged']}"


def _peers(measured: Result) -> list[str]:
    return [name for name in measured["points"] if name != "hfjax"]


def _hfjax_failed(result: Result) -> bool:
    measured = result["likelihoods"].values()
    return any("error" in one["prepared"] for one in measured)


if __name__ == "__main__":
    sys.exit(main())
