"""Pictures are those that have been looked at: small images beside the tests."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.testing.compare import compare_images

from hfjax.plotting.canvas import STYLE, Picture

SEEN = Path(__file__).parent / "seen"
"""Images that have been looked at."""
TOLERANCE = 12.0
"""Of the root mean square of differences: fonts are drawn a little differently."""
DPI = 60


def assert_seen(picture: Picture, name: str, folder: Path) -> None:
    """A picture is the image of its name; where there is none, one to look at is made.

    Args:
        picture: what was drawn.
        name: of the image.
        folder: for what was drawn, and where it differs.
    """
    drawn, seen = folder / f"{name}.png", SEEN / f"{name}.png"
    with mpl.rc_context(STYLE):
        picture.axes.get_figure(root=True).savefig(drawn, dpi=DPI)
    assert seen.exists(), f"look at {drawn}, and copy it to {SEEN}"
    assert compare_images(str(seen), str(drawn), TOLERANCE) is None
