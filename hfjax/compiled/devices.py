"""The devices that run programs: nothing else asks which they are.

JAX is loaded where it is asked, not before: the command line may not need it.
"""

from typing import Any

PART_OF_MEMORY = 0.5
"""Part of a device's memory that lanes may fill: models and copies need some, too."""
UNKNOWN_MEMORY = 4 * 2**30
"""Bytes that lanes may fill where a device does not tell how many it has."""


def on_cpu() -> bool:
    """Whether programs run on CPUs."""
    import jax

    return jax.default_backend() == "cpu"


def lane_devices() -> tuple[Any, ...]:
    """Devices that lanes are shared out to: all that this process has."""
    import jax

    return tuple(jax.local_devices())


def room_for_lanes() -> int:
    """Bytes that the lanes of one batch may fill on one device."""
    told = (device.memory_stats() or {} for device in lane_devices())
    known = [stats["bytes_limit"] for stats in told if "bytes_limit" in stats]
    return int(PART_OF_MEMORY * min(known)) if known else UNKNOWN_MEMORY
