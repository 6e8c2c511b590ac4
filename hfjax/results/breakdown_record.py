"""A breakdown of an uncertainty by its sources that was written to a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from hfjax.errors import unknown_name
from hfjax.results.written import Number, WrittenRecord, shown


@dataclass(frozen=True, repr=False)
class BreakdownRecord(WrittenRecord):
    """The uncertainty of a parameter by its sources, as it is in a file.

    `found["jets"]` is the part of a group.

    Attributes:
        parameter: name of the parameter.
        value: its best fit.
        groups: the part of each, by name.
        total: the root of the sum of their squares.
        uncertainty: standard deviation from the Hessian.
        main: what each bin contributes, with its sign, by channel.
        auxiliary: what each auxiliary datum contributes, by parameter.
        status: "known", or why there are no numbers.
        message: what to try; empty if they are known.
        provenance: versions, digests, settings and times.

    Example:
        >>> groups = {"data statistics": 0.3, "systematics": 0.4}
        >>> BreakdownRecord("mu", 1.0, groups, 0.5, 0.5, {}, {}, "known", "")
        BreakdownRecord: mu = 1 ± 0.5, 2 groups
    """

    SCHEMA: ClassVar[str] = "breakdown-result-1.0.0.json"

    parameter: str
    value: Number
    groups: Mapping[str, Number]
    total: Number
    uncertainty: Number
    main: Mapping[str, tuple[Number, ...]]
    auxiliary: Mapping[str, Number]
    status: str
    message: str

    def __getitem__(self, group: str) -> Number:
        """The part of a group; None where it is not known.

        Raises:
            UnknownNameError: there is no such group; close names are given.
        """
        if group not in self.groups:
            error = unknown_name("group", group, self.groups)
            raise error
        return self.groups[group]

    def __repr__(self) -> str:
        """The total, and how many groups there are."""
        head = f"BreakdownRecord: {self.parameter} = {shown(self.value)}"
        return f"{head} ± {shown(self.total)}, {len(self.groups)} groups"
