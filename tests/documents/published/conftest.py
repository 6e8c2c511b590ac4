"""What several tests of downloads and archives need."""

from pathlib import Path

import pytest


@pytest.fixture
def full_disk(monkeypatch):
    """No file that is opened for writing takes more than its first bytes."""
    opened = Path.open

    def full(path, mode="r", **options):
        if "r" in mode:
            return opened(path, mode, **options)
        with opened(path, mode, **options) as file:
            file.write(b"some")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
