"""Where a result comes from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from hfjax.version import __version__


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a result comes from: enough to make it again.

    Attributes:
        version: hfjax's version.
        jax: JAX's version.
        device: The device the fits ran on, as JAX names it.
        dtype: `"float64"`.
        command: The command line, or empty when called from Python.
        workspace_digest: sha256 of the background-only workspace.
        patchset_digest: sha256 of the patchset.
        settings: Tested value, test statistic, minimizer and the like.
        seconds: Wall-clock time by stage.
    """

    version: str = ""
    jax: str = ""
    device: str = ""
    dtype: str = "float64"
    command: str = ""
    workspace_digest: str | None = None
    patchset_digest: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def dump(self) -> dict[str, Any]:
        """The provenance as JSON values."""
        return asdict(self)

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Provenance":
        """A provenance from its JSON values; keys it does not know are ignored."""
        return cls(**{entry.name: document[entry.name] for entry in fields(cls)})


def this_run(command: str = "") -> Provenance:
    """Versions, device and precision of this process.

    Args:
        command: the command line; empty from Python.
    """
    import jax

    return Provenance(
        version=__version__,
        jax=jax.__version__,
        device=jax.devices()[0].device_kind,
        command=command,
    )
