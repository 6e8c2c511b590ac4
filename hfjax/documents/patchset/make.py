"""Make a patchset of signals, for the workspace they are added to."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.reading.json_values import LABEL
from hfjax.documents.workspace.injection import signal_samples, signal_strength
from hfjax.documents.workspace.signal import Signal
from hfjax.documents.workspace.workspace import VERSION, Workspace
from hfjax.errors import SpecificationError

BELOW_ZERO = (
    "events are below zero: correct them, or allow negative events if they are "
    "interference (--allow-negative on the command line)"
)
"""What is said of a signal that takes events away."""
NO_RECORD = "ins0000000"
"""Stands for a record at HEPData where there is none: the format wants one."""


def make_patchset(
    workspace: Workspace,
    signals: Iterable[Signal | Mapping[str, Any]],
    labels: Sequence[str] | None = None,
    description: str = "",
    hepdata: str = NO_RECORD,
    poi: str | None = None,
) -> PatchSet:
    """Make a patchset that adds one signal with each patch.

    Each patch adds the signal's samples to the channels that the signal names, and
    leaves all other channels as they are; the digest ties it to the workspace.

    Args:
        workspace: the background-only workspace.
        signals: one a patch, or JSON objects as `Signal.parse` takes them.
        labels: the labels of their values, in order; those of the first signal by
            default.
        description: what the signals are.
        hepdata: the record at HEPData, such as ins1748602.
        poi: name of the normfactor that is the signals' strength; the parameter of
            interest of the measurements by default.

    Raises:
        UnknownNameError: A signal names a channel that does not exist.
        SpecificationError: A signal does not fit the workspace, has other labels than
            the others, or the name or the values of another; there is no label, or
            one twice; or the record is none.

    >>> top = {"name": "top", "data": [7.0], "modifiers": []}
    >>> config = {"poi": "mu", "parameters": []}
    >>> workspace = Workspace.parse({
    ...     "channels": [{"name": "SR", "samples": [top]}],
    ...     "observations": [{"name": "SR", "data": [8]}],
    ...     "measurements": [{"name": "search", "config": config}],
    ...     "version": "1.0.0",
    ... })
    >>> signals = [
    ...     {"values": {"mass": mass}, "channels": {"SR": [900 / mass]}}
    ...     for mass in (1, 2)
    ... ]
    >>> patchset = make_patchset(workspace, signals, description="a line of masses")
    >>> patchset.names, patchset.labels
    (('mass_1', 'mass_2'), ('mass',))
    >>> patchset.apply(workspace, "mass_2").channel("SR").sample("mass_2").data
    (450.0,)
    """
    parsed = [
        signal if isinstance(signal, Signal) else Signal.parse(signal)
        for signal in signals
    ]
    if not parsed:
        message = "there is no signal: give one at least"
        raise SpecificationError(message)
    labels = list(parsed[0].values if labels is None else labels)
    _check_labels(labels)
    _check_record(hepdata)
    strength = signal_strength(workspace.measurements, poi)
    document = {
        "metadata": {
            "references": {"hepdata": hepdata},
            "digests": {"sha256": workspace.digest()},
            "labels": labels,
            "description": description,
        },
        "patches": [_patch(workspace, signal, labels, strength) for signal in parsed],
        "version": VERSION,
    }
    return PatchSet.parse(document)


def refuse_negative(signals: Iterable[Signal]) -> None:
    """Refuse signals that take events away, as only interference does.

    Raises:
        SpecificationError: A signal has fewer events than zero in a bin.

    >>> refuse_negative([Signal.parse({"name": "low", "channels": {"SR": [2, -0.5]}})])
    Traceback (most recent call last):
    ...
    hfjax.errors.SpecificationError: signal 'low', channel 'SR', bin 1: -0.5 events \
are below zero: correct them, or allow negative events if they are interference \
(--allow-negative on the command line)
    """
    for signal in signals:
        for name, channel in signal.channels.items():
            for index, events in enumerate(channel.data):
                if events < 0:
                    message = (
                        f"signal {signal.name!r}, channel {name!r}, bin {index}: "
                        f"{events} {BELOW_ZERO}"
                    )
                    raise SpecificationError(message)


def without_events(signals: Iterable[Signal]) -> tuple[str, ...]:
    """Return the names of the signals that are zero everywhere.

    >>> without_events([Signal.parse({"name": "low", "channels": {"SR": [0.0, 0]}})])
    ('low',)
    """
    return tuple(
        signal.name
        for signal in signals
        if not any(any(channel.data) for channel in signal.channels.values())
    )


def _patch(
    workspace: Workspace, signal: Signal, labels: Sequence[str], poi: str
) -> dict[str, Any]:
    """Return the JSON object of one patch."""
    _check_names(signal, labels)
    metadata: dict[str, Any] = {
        "name": signal.name,
        "values": [signal.values[label] for label in labels],
    }
    if signal.cross_section is not None:
        metadata["cross_section"] = signal.cross_section
    samples = signal_samples(workspace.channels, signal, poi)
    operations = [
        {"op": "add", "path": f"/channels/{index}/samples/-", "value": sample.dump()}
        for index, sample in samples.items()
    ]
    return {"metadata": metadata, "patch": operations}


def _check_labels(labels: Sequence[str]) -> None:
    if not labels:
        message = (
            "there is no label: give signals values, such as that of a mass, and say "
            "which columns of a table hold them (labels=..., or --labels on the "
            "command line)"
        )
        raise SpecificationError(message)
    if len(set(labels)) < len(labels):
        message = f"a label is there twice, of {_listed(labels)}: give each once"
        raise SpecificationError(message)


def _check_record(hepdata: str) -> None:
    if not re.fullmatch("ins[0-9]+", hepdata):
        message = f"{hepdata!r} is no record of HEPData: give one such as ins1748602"
        raise SpecificationError(message)


def _check_names(signal: Signal, labels: Sequence[str]) -> None:
    if not LABEL.search(signal.name):
        message = (
            f"signal {signal.name!r} cannot name a patch: use letters, digits and "
            "underscores only"
        )
        raise SpecificationError(message)
    if sorted(signal.values) != sorted(labels):
        message = (
            f"signal {signal.name!r} has values for {_listed(signal.values)}, not for "
            f"{_listed(labels)}: give one for each label"
        )
        raise SpecificationError(message)


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(map(repr, labels)) or "no label"
