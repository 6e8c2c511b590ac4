"""How long the upper limits of all points of a patchset take, beside NextStat's.

    python benchmarks/limits_time.py staus --points 4

hfjax finds all six limits of every point, warm, building included and apart; NextStat
the observed one of some points, by its own search, model building included. The ratio
is of the time a point.
"""

import argparse
import importlib
import json
from collections.abc import Sequence
from time import perf_counter

import jax
import numpy as np
from report import circumstances, heading, table
from workloads import data_folder

import hfjax

jax.config.update("jax_enable_x64", True)

COLUMNS = ("patchset", "tool", "points", "limits", "found", "seconds a point", "ratio")


def of_hfjax(
    background: hfjax.Workspace, patches: hfjax.PatchSet, valleys: str
) -> tuple[list[str], float, dict[str, float]]:
    """A row of the table, seconds a point, and the observed limits."""
    settings = hfjax.FitSettings(valleys=valleys)
    hfjax.scan_limits(hfjax.build_scan(background, patches), settings=settings)
    start = perf_counter()
    batch = hfjax.build_scan(background, patches)
    built = perf_counter() - start
    found = hfjax.scan_limits(batch, settings=settings)
    each = (perf_counter() - start) / len(patches.patches)
    print(f"# hfjax: {built / len(patches.patches):.4g} s a point are building")
    limits = {point.name: point.limit_obs for point in found.points}
    wanted = 6 * len(limits)
    known = sum(np.isfinite([p.limit_obs, *p.limit_exp]).sum() for p in found.points)
    return [str(len(limits)), f"{wanted}", f"{known}", f"{each:.4g}"], each, limits


def of_nextstat(
    background: hfjax.Workspace, patches: hfjax.PatchSet, names: Sequence[str]
) -> tuple[list[str], float, dict[str, float]]:
    """The same of NextStat; a limit that it has none of is NaN."""
    nextstat = importlib.import_module("nextstat")
    start, limits = perf_counter(), {}
    for name in names:
        document = patches.apply(background, name).dump()
        model = nextstat.HistFactoryModel.from_workspace(json.dumps(document))
        try:
            limits[name] = float(nextstat.upper_limit(model))
        except (RuntimeError, ValueError) as error:
            print(f"# nextstat, {name}: {error}")
            limits[name] = float("nan")
    each = (perf_counter() - start) / len(names)
    known = np.isfinite(list(limits.values())).sum()
    return [f"{len(names)}", f"{len(names)}", f"{known}", f"{each:.4g}"], each, limits


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description="Time of upper limits.")
    parser.add_argument("patchset", nargs="?", default="staus")
    parser.add_argument("--points", type=int, default=4, help="of NextStat")
    parser.add_argument("--valleys", default="lowest", help="of hfjax")
    options = parser.parse_args()
    folder = data_folder() / "likelihoods" / options.patchset
    background = hfjax.Workspace.load(folder / "BkgOnly.json")
    patches = hfjax.PatchSet.load(folder / "patchset.json")
    row, ours, limits = of_hfjax(background, patches, options.valleys)
    rows = [[options.patchset, "hfjax", *row, "1"]]
    step = max(1, len(limits) // options.points)
    names = list(limits)[::step][: options.points]
    row, theirs, other = of_nextstat(background, patches, names)
    rows.append([options.patchset, "nextstat", *row, f"{theirs / ours:.3g}"])
    print(heading(circumstances()))
    print(table(COLUMNS, rows))
    print("# observed limits, hfjax and NextStat:")
    for name in names:
        print(f"# {name}: {limits[name]:.6g}, {other[name]:.6g}")


if __name__ == "__main__":
    main()
