"""Why a point of a scan has no result, in words."""

import dataclasses

from hfjax.building.align import SignalPoint
from hfjax.building.points import ScanGroup
from hfjax.compiled.canonical import cut
from hfjax.compiled.program import Run, run_directly
from hfjax.fitting.diagnose.advice import IN_PYTHON, Advice
from hfjax.fitting.diagnose.explanation import End, explain_end, explain_status
from hfjax.fitting.status import FitStatus
from hfjax.inference.explain import fit_labels
from hfjax.inference.test_state import ASIMOV
from hfjax.inference.test_statistics import TestStatistic
from hfjax.scanning.point import PointNumbers


@dataclasses.dataclass(frozen=True)
class Failures:
    """Says why points of a scan have no result.

    Attributes:
        poi_value: tested value.
        test_stat: of `hfjax.inference.test_statistics`.
        advice: what can be done where the message is read.
        run: calls a compiled program, as in `FitSettings`.
    """

    poi_value: float
    test_stat: TestStatistic
    advice: Advice = IN_PYTHON
    run: Run = run_directly

    def message(
        self, group: ScanGroup, member: SignalPoint, numbers: PointNumbers
    ) -> str:
        """Name the fit that failed first, and the bins if it was one of the data.

        Args:
            group: the points of one shape.
            member: the point.
            numbers: its test.

        Returns:
            One line; empty where the test has not failed.
        """
        status = FitStatus(int(numbers.status))
        if status is FitStatus.CONVERGED:
            return ""
        worst = int(numbers.worst)
        labels = fit_labels(member.poi, self.poi_value, self.test_stat.asimov_poi)
        if worst == ASIMOV:  # its data are not kept
            return explain_status(status, labels[worst], self.advice)
        model, data = group.point(group.members.index(member))
        worst_params = cut(numbers.worst_params, model.parameters.init.size)
        end = End(status, worst_params)
        return explain_end(model, data, end, labels[worst], self.advice, self.run)
