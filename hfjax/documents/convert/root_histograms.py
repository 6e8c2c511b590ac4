"""Histograms in ROOT files: the only importer of uproot.

A histogram of two or three dimensions is read as a row of bins in ROOT's order, in
which the bins of the first axis run fastest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from hfjax.documents.reading.json_files import refuse_special
from hfjax.errors import SpecificationError, close_names

Floats = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram, without the bins below and above its range.

    Attributes:
        values: Content of each bin.
        errors: Uncertainty of each bin: the root of the sum of squared weights, or of
            the content where no weights were kept; empty where there is none.
        edges: Edges of the bins of each axis.
    """

    values: Floats
    errors: Floats
    edges: tuple[Floats, ...]

    def cut(self, low: int, high: int | None) -> "Histogram":
        """Return the bins from `low`, counted from 0, to below `high` if that is given.

        >>> Histogram((1.0, 2.0, 3.0), (), ((0.0, 1.0, 2.0, 3.0),)).cut(1, 2).edges
        ((1.0, 2.0),)
        """
        end = None if high is None else high + 1
        edges = tuple(axis[low:end] for axis in self.edges)
        return Histogram(self.values[low:high], self.errors[low:high], edges)


class RootFiles:
    """ROOT files that are open for reading, each opened once.

    >>> with RootFiles() as files:
    ...     files.read(Path("nowhere.root"), ["data"])
    Traceback (most recent call last):
    ...
    hfjax.errors.SpecificationError: nowhere.root: cannot be read: No such file or \
directory
    """

    def __init__(self) -> None:
        self._files: dict[Path, tuple[Any, frozenset[str]]] = {}

    def __enter__(self) -> "RootFiles":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        del kind, error, trace
        for file, _ in self._files.values():
            file.close()

    def read(self, path: Path, names: Sequence[str]) -> tuple[Histogram, str]:
        """Read a histogram.

        Args:
            path: the file.
            names: where in the file it may be; the first place that exists is taken.

        Returns:
            The histogram, and its place.

        Raises:
            SpecificationError: The file cannot be read or has none of these places, or
                what is there is no histogram.
        """
        file, known = self._opened(path)
        name = next((name for name in names if name in known), None)
        if name is None:
            raise _not_there(path, names, known)
        try:
            found = file[name]
            kind = str(getattr(found, "classname", type(found).__name__))
            if kind.startswith(("TH1", "TH2", "TH3")):
                return _histogram(found), name
        except Exception as error:  # whatever the bytes make uproot raise
            reason = " ".join(str(error).split())
            message = f"{path}: histogram {name!r} cannot be read: {reason}"
            raise SpecificationError(message) from error
        message = f"{path}: {name!r} is a {kind}, not a histogram (TH1, TH2 or TH3)"
        raise SpecificationError(message)

    def _opened(self, path: Path) -> tuple[Any, frozenset[str]]:
        if path not in self._files:
            self._files[path] = _open(path)
        return self._files[path]


def write_histograms(path: Path, histograms: Mapping[str, Histogram]) -> None:
    """Write one-dimensional histograms of doubles (TH1D) to a new ROOT file.

    Args:
        path: the file, which is replaced if it exists.
        histograms: by their names in the file; errors, where there are any, are kept as
            sums of squared weights.
    """
    import uproot

    with uproot.recreate(path) as file:
        for name, histogram in histograms.items():
            file[name] = _writable(histogram)


def _open(path: Path) -> tuple[Any, frozenset[str]]:
    import uproot

    try:
        refuse_special(path)
        with path.open("rb"):
            pass
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = error.strerror if isinstance(error, OSError) else error
        message = f"{path}: cannot be read: {reason}"
        raise SpecificationError(message) from None
    try:
        file: Any = uproot.open(path)
        return file, frozenset(file.keys(cycle=False))
    except Exception as error:  # whatever the bytes make uproot raise
        reason = " ".join(str(error).split())
        message = f"{path}: not a ROOT file that can be read: {reason}"
        raise SpecificationError(message) from error


def _not_there(
    path: Path, names: Sequence[str], known: frozenset[str]
) -> SpecificationError:
    near = close_names(names[0], sorted(known))
    if near:
        hint = f"did you mean {' or '.join(map(repr, near))}?"
    else:
        shown = ", ".join(map(repr, sorted(known)[:10]))
        hint = f"it has {shown}" if known else "it has nothing"
    places = " nor ".join(map(repr, dict.fromkeys(names)))
    return SpecificationError(f"{path}: there is no {places}: {hint}")


def _histogram(found: Any) -> Histogram:
    import numpy as np

    values = np.asarray(found.values(), float).ravel(order="F")
    variances = np.asarray(found.variances(), float).ravel(order="F")
    errors = np.sqrt(np.maximum(variances, 0))
    edges = tuple(tuple(map(float, axis.edges())) for axis in found.axes)
    return Histogram(tuple(values.tolist()), tuple(errors.tolist()), edges)


def _writable(histogram: Histogram) -> Any:
    import numpy as np
    from uproot.writing.identify import to_TH1x

    values = np.asarray(histogram.values, float)
    edges = np.asarray(histogram.edges[0], float)
    weights = np.square(histogram.errors) if histogram.errors else np.abs(values)
    centres = (edges[:-1] + edges[1:]) / 2
    return to_TH1x(
        fName=None,
        fTitle="",
        data=np.pad(values, 1),
        fEntries=values.sum(),
        fTsumw=values.sum(),
        fTsumw2=weights.sum(),
        fTsumwx=(values * centres).sum(),
        fTsumwx2=(values * centres**2).sum(),
        fSumw2=np.pad(weights, 1) if histogram.errors else None,
        fXaxis=_axis(edges),
    )


def _axis(edges: Any) -> Any:
    """An axis; ROOT computes edges at equal distances and keeps others."""
    import numpy as np
    from uproot.writing.identify import to_TAxis

    size = len(edges) - 1
    regular = np.array_equal(edges, np.linspace(edges[0], edges[-1], size + 1))
    return to_TAxis(
        fName="xaxis",
        fTitle="",
        fNbins=size,
        fXmin=edges[0],
        fXmax=edges[-1],
        fXbins=None if regular else edges,
    )
