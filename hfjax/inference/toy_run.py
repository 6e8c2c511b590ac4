"""Toys drawn in many calls of one program, kept in a file meanwhile."""

import dataclasses
import time
from collections.abc import Iterator
from concurrent.futures import Executor

import numpy as np

from hfjax.compiled.calls import side_by_side
from hfjax.errors import DataError
from hfjax.fitting.status import FitStatus
from hfjax.inference.toy_lanes import OBSERVED, ToyLanes, ToyNumbers
from hfjax.inference.toy_pieces import Numbers, in_pieces
from hfjax.inference.toy_settings import ToySettings
from hfjax.inference.toys_file import check_same, load_toys, merge_toys, save_toys
from hfjax.inference.toys_result import ToysResult

ROUND = 500
"""Toys after which it is looked whether the error is small enough."""
SHARE = 0.05
"""Part of the time that keeping toys in a file may take."""


@dataclasses.dataclass
class ToyRun:
    """Toys while they are drawn.

    Attributes:
        lanes: the compiled program.
        question: what is computed.
        settings: of the toys.
        next_save: time before which they need not be kept again.
    """

    lanes: ToyLanes
    question: str
    settings: ToySettings
    next_save: float = 0.0

    def run(self, numbers: Numbers) -> ToysResult:
        """Draw and test toys of some numbers, going on from those that were kept."""
        nothing = np.zeros(0, np.int64)
        if self.lanes.truths_code is not FitStatus.CONVERGED:
            blank = ToyNumbers(*(np.array([x]) for x in (np.nan, np.nan, 0, False)))
            blank.codes[:] = self.lanes.truths_code
            return self._result(nothing, _none(), blank)
        observed = self.lanes.test(np.array([OBSERVED]))
        result = self._result(nothing, _none(), observed)
        if observed.codes[0] != FitStatus.CONVERGED:
            return result
        kept = self._kept(numbers, result)
        with side_by_side() as pool:
            for stop in self._stops(numbers.size):
                kept = self._completed(kept, numbers, stop, pool)
                result = chosen(kept, numbers[:stop])
                if self._is_enough(result):
                    break
        return result

    def _stops(self, total: int) -> list[int]:
        """After how many toys it is looked whether they are enough."""
        if self.settings.until_error is None:
            return [total]
        return [*range(ROUND, total, ROUND), total]

    def _is_enough(self, result: ToysResult) -> bool:
        wanted = self.settings.until_error
        return wanted is not None and result.CLs_error <= wanted

    def _kept(self, numbers: Numbers, nothing: ToysResult) -> ToysResult:
        """What is in the file of toys that are done; nothing, if there is none.

        Raises:
            DataError: it has other toys.
        """
        path = self.settings.keep
        if path is None or not path.exists():
            return nothing
        found = load_toys(path)
        remedy = f"{path} has toys of another run, remove it to begin anew"
        check_same(nothing.settings, found.settings, remedy)
        if not np.isin(found.numbers, numbers).all():
            message = f"{remedy}: they are of another shard, or more than are wanted"
            raise DataError(message)
        return merge_toys([nothing, found])

    def _completed(
        self, kept: ToysResult, numbers: Numbers, stop: int, pool: Executor
    ) -> ToysResult:
        """Draw those of the first toys that are not there yet."""
        parts, done = [kept], kept.numbers.size
        missing = np.setdiff1d(numbers[:stop], kept.numbers)
        self._tell(done, numbers.size)
        try:
            for part in self._drawn(missing, kept, pool):
                parts.append(part)
                done += part.numbers.size
                self._tell(done, numbers.size)
                if self.settings.keep and time.monotonic() >= self.next_save:
                    parts = [merge_toys(parts)]
                    self._save(parts[0])
        finally:
            if len(parts) > 1:
                parts = [merge_toys(parts)]
                self._save(parts[0])
        return parts[0]

    def _tell(self, done: int, total: int) -> None:
        if self.settings.progress is not None:
            self.settings.progress(done, total)

    def _save(self, whole: ToysResult) -> None:
        """Keep what is done; not again before that has taken a small part of time."""
        if self.settings.keep is None:
            return
        begin = time.monotonic()
        save_toys(whole, self.settings.keep)
        end = time.monotonic()
        self.next_save = end + (end - begin) / SHARE

    def _drawn(
        self, missing: Numbers, like: ToysResult, pool: Executor
    ) -> Iterator[ToysResult]:
        """Draw toys, and yield some of them as they are done."""

        def some(numbers: Numbers) -> ToysResult:
            pairs = 2 * numbers[:, None] + np.arange(2)
            found = self.lanes.test(pairs.ravel())
            return dataclasses.replace(like, numbers=numbers, **_by_sample(found))

        return in_pieces(some, missing, pool)

    def _result(
        self, numbers: Numbers, found: ToyNumbers, observed: ToyNumbers
    ) -> ToysResult:
        poi_value = np.asarray(self.lanes.shared.hypothesis.poi_value)
        return ToysResult(
            numbers=numbers,
            **_by_sample(found),
            q_obs=observed.q.reshape(()),
            mu_hat=observed.mu_hat.reshape(()),
            poi_value=poi_value,
            code=observed.codes.reshape(()),
            question=self.question,
        )


def chosen(result: ToysResult, numbers: Numbers) -> ToysResult:
    """The toys of some numbers.

    Args:
        result: toys.
        numbers: of those that are wanted, in rising order.
    """
    own = np.isin(result.numbers, numbers)
    parts = {name: getattr(result, name)[:, own] for name in _ARRAYS}
    return dataclasses.replace(result, numbers=result.numbers[own], **parts)


_ARRAYS = ("q", "codes", "retried")


def _by_sample(found: ToyNumbers) -> dict[str, np.ndarray]:
    """Signal and background, that alternate, on an axis of their own."""
    values = found.q, found.codes, found.retried
    return dict(zip(_ARRAYS, (x.reshape(-1, 2).T for x in values), strict=True))


def _none() -> ToyNumbers:
    """No toys."""
    kinds = float, float, np.int32, bool
    return ToyNumbers(*(np.zeros(0, kind) for kind in kinds))
