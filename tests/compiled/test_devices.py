"""How much memory lanes may fill."""

from hfjax.compiled import devices
from hfjax.compiled.devices import UNKNOWN_MEMORY, room_for_lanes


class Device:
    """A device that tells how much memory it has, or does not."""

    def __init__(self, stats):
        self.memory_stats = lambda: stats


def test_the_smallest_device_says_how_much_room_there_is(monkeypatch):
    told = [Device({"bytes_limit": n, "bytes_in_use": 5}) for n in (4000, 3000)]
    monkeypatch.setattr(devices, "lane_devices", lambda: (*told, Device(None)))
    assert room_for_lanes() == 1500


def test_devices_that_do_not_tell_have_some(monkeypatch):
    monkeypatch.setattr(devices, "lane_devices", lambda: (Device(None), Device({})))
    assert room_for_lanes() == UNKNOWN_MEMORY
