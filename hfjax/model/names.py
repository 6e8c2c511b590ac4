"""What the axes of a model stand for."""

import equinox as eqx

from hfjax.model.data import Channels


class Names(eqx.Module):
    """What the axes of a model stand for.

    Attributes:
        channels: channels in order of their bins.
        bins: number of bins of each channel.
        samples: samples in order.
        poi: parameter of interest, in the model or not.
        announced: the one that the measurement names; `poi` is another one where that
            is not in the model and one of the signal's is taken for it.
        derived: parameters that expressions give.
        auxdata: nominal auxiliary data, by the names of their parameters.
    """

    channels: tuple[str, ...] = eqx.field(static=True, default=())
    bins: tuple[int, ...] = eqx.field(static=True, default=())
    samples: tuple[str, ...] = eqx.field(static=True, default=())
    poi: str | None = eqx.field(static=True, default=None)
    announced: str | None = eqx.field(static=True, default=None)
    derived: tuple[str, ...] = eqx.field(static=True, default=())
    auxdata: tuple[tuple[str, float], ...] = eqx.field(static=True, default=())

    @property
    def channel_bins(self) -> Channels:
        """Names of the channels and their numbers of bins, in the order of the bins."""
        return tuple(zip(self.channels, self.bins, strict=True))

    def summary(self, parameters: int) -> str:
        """What is in the model, in three lines.

        Args:
            parameters: how many there are.
        """
        channels = ", ".join(f"{name} ({bins})" for name, bins in self.channel_bins)
        return (
            f"Model: {len(self.channels)} channels with {sum(self.bins)} bins, "
            f"{parameters} parameters, parameter of interest {self.poi!r}\n"
            f"  channels  {channels}\n  samples   {', '.join(self.samples)}"
        )
