"""Build workspaces from numbers: lists, NumPy arrays or histograms.

Each function makes one part of a workspace, from the inside out. Where numbers are
asked for, a histogram with one axis will do; the variances of a sample's become its
staterror.

>>> top = sample("top", [7.0, 4.0], normsys("scale", 0.9, 1.1), staterror([0.5, 0.4]))
>>> signal = sample("signal", [2.0, 3.0], normfactor("mu"))
>>> search = workspace([channel("SR", signal, top)], {"SR": [8, 3]}, poi="mu")
>>> search.modifiers
(('mu', 'normfactor'), ('scale', 'normsys'), ('staterror_SR', 'staterror'))
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from hfjax.documents.reading.json_values import Number
from hfjax.documents.reading.records import names
from hfjax.documents.workspace.channel import Channel, Modifier, Observation, Sample
from hfjax.documents.workspace.histogram import contents, is_histogram, uncertainties
from hfjax.documents.workspace.measurement import Measurement, ParameterConfig
from hfjax.documents.workspace.workspace import Workspace, format_version
from hfjax.errors import (
    SpecificationError,
    check_kind,
    close_names,
    unknown_name,
)


def sample(name: str, yields: Any, *modifiers: Modifier) -> Sample:
    """Make a sample.

    Args:
        name: the sample's name.
        yields: expected events, one number a bin. The variances of a histogram become
            its staterror, if there is none among the modifiers.
        modifiers: what may change them.

    Raises:
        SpecificationError: A number is not finite, or a modifier does not fit.
        ArgumentError: A modifier is something else, such as a list of them.

    >>> sample("top", [7.0, 4.0], normsys("scale", 0.9, 1.1)).data
    (7.0, 4.0)
    """
    what = f"sample {name!r}"
    for each in modifiers:
        remedy = "give modifiers one after another, sample(name, yields, one, two)"
        check_kind(f"a modifier of {what}", each, Modifier, remedy)
    events = contents(yields, what)
    if is_histogram(yields) and "staterror" not in {m.type for m in modifiers}:
        errors = uncertainties(yields, what)
        modifiers += () if errors is None else (staterror(errors),)
    try:
        return Sample(name, events, modifiers)
    except SpecificationError as error:
        raise error.inside(what) from None


def channel(name: str, *samples: Sample) -> Channel:
    """Make a channel of samples with the same bins.

    A staterror without a name is called `staterror_<channel>`, as HistFactory calls it,
    so that all samples of the channel share it.

    Args:
        name: the channel's name.
        samples: one after another.

    Raises:
        SpecificationError: There is no sample, two have the same name, or their bins
            differ in number or in their edges.
        ArgumentError: A sample is something else, such as a list of them.

    >>> region = channel("SR", sample("top", [7.0, 4.0], staterror([0.5, 0.4])))
    >>> region.sample("top").modifiers[0].name
    'staterror_SR'
    """
    what = f"channel {name!r}"
    for each in samples:
        remedy = "give samples one after another, channel(name, one, two)"
        check_kind(f"a sample of {what}", each, Sample, remedy)
    try:
        found = Channel(name, tuple([_named(each, name) for each in samples]))
    except SpecificationError as error:
        raise error.inside(what) from None
    _edges(what, _parts(found))
    return found


def workspace(
    channels: Iterable[Channel],
    observed: Mapping[str, Any],
    poi: str = "",
    parameters: Sequence[ParameterConfig] = (),
    measurement: str = "measurement",
) -> Workspace:
    """Make a workspace of channels and what was observed in them.

    It states the extended version of the format if the settings of parameters use it.

    Args:
        channels: the channels.
        observed: observed events of each channel, one number a bin.
        poi: the parameter of interest; "" for none.
        parameters: settings of parameters; a lumi modifier needs them.
        measurement: the name of the measurement.

    Raises:
        SpecificationError: The parts do not fit together.
        UnknownNameError: Events were observed in a channel that does not exist; or no
            sample has the parameter of interest, and one has a similar name.
        ArgumentError: The channels are no list of channels.

    >>> region = channel("SR", sample("top", [7.0, 4.0]))
    >>> workspace([region], {"SR": [8, 3]}).observation("SR").data
    (8, 3)
    """
    remedy = "give a list of channels"
    check_kind("what a workspace is made of", channels, Iterable, remedy, "list")
    channels = tuple(channels)
    for each in channels:
        check_kind("a channel of the workspace", each, Channel, remedy)
    remedy = "give a dict of events by the names of channels"
    check_kind("what is observed", observed, Mapping, remedy, "dict")
    for each in parameters:
        remedy = "ParameterConfig(name, inits=(1.0,), bounds=((0.0, 5.0),))"
        check_kind("a setting of a parameter", each, ParameterConfig, remedy)
    _refuse_misspelled(poi, channels)
    found = []
    for name, events in observed.items():
        if name not in names(channels):
            error = unknown_name("channel", name, names(channels), "the workspace")
            raise error
        found.append(Observation(name, contents(events, f"observed in {name!r}")))
    places = {each.name: each.data for each in found}
    for each in channels:
        data = [("observed", places.get(each.name, ()))]
        _edges(f"channel {each.name!r}", [*_parts(each), *data])
    chosen = Measurement(measurement, poi, tuple(parameters))
    return Workspace(channels, (chosen,), tuple(found), format_version([chosen]))


def _refuse_misspelled(poi: str, channels: Iterable[Channel]) -> None:
    """Refuse a parameter of interest that is nearly one of a sample.

    One that is far from all of them may come with a signal that patches add.
    """
    samples = [sample for each in channels for sample in each.samples]
    known = {m.name for s in samples for m in s.modifiers if m.type == "normfactor"}
    if poi and poi not in known and close_names(poi, known):
        error = unknown_name("normfactor", poi, known, "the workspace")
        raise error


def normfactor(name: str) -> Modifier:
    """Make a free factor of all events of a sample, such as a signal's strength.

    >>> normfactor("mu").type
    'normfactor'
    """
    return Modifier(name, "normfactor")


def shapefactor(name: str) -> Modifier:
    """Make a free factor for each bin.

    >>> shapefactor("free").dump()
    {'name': 'free', 'type': 'shapefactor', 'data': None}
    """
    return Modifier(name, "shapefactor")


def lumi() -> Modifier:
    """Make the factor of the luminosity; the measurement gives its uncertainty.

    >>> lumi().name
    'lumi'
    """
    return Modifier("lumi", "lumi")


def normsys(name: str, lo: Number, hi: Number) -> Modifier:
    """Make an uncertainty on all events: factors at one standard deviation.

    Raises:
        SpecificationError: A factor is negative, as a change of the events would be.

    >>> normsys("scale", 0.9, 1.1).data
    {'lo': 0.9, 'hi': 1.1}
    """
    factors = contents([lo, hi], f"normsys {name!r}")
    if min(factors) < 0:
        message = (
            f"normsys {name!r} has the factor {min(factors)}: give factors on the "
            "events, such as 0.9 and 1.1 for 10 %, and no changes of them"
        )
        raise SpecificationError(message)
    return Modifier(name, "normsys", dict(zip(("lo", "hi"), factors, strict=True)))


def histosys(name: str, lo_data: Any, hi_data: Any) -> Modifier:
    """Make an uncertainty on the shape: events at one standard deviation.

    >>> histosys("jes", [6.0, 3.0], [8.0, 6.0]).data
    {'lo_data': (6.0, 3.0), 'hi_data': (8.0, 6.0)}
    """
    what = f"histosys {name!r}"
    shapes = {"lo_data": contents(lo_data, what), "hi_data": contents(hi_data, what)}
    return Modifier(name, "histosys", shapes)


def shapesys(name: str, uncertainty: Any) -> Modifier:
    """Make uncorrelated uncertainties, in events, with Poisson constraints.

    Args:
        name: the name, which no other sample may use.
        uncertainty: one number a bin.

    >>> shapesys("fakes", [0.5, 0.4]).data
    (0.5, 0.4)
    """
    return Modifier(name, "shapesys", contents(uncertainty, f"shapesys {name!r}"))


def staterror(uncertainty: Any, name: str = "") -> Modifier:
    """Make Monte Carlo uncertainties, in events, that a channel's samples share.

    Args:
        uncertainty: one number a bin.
        name: a name; `channel` gives one if it is absent.

    >>> staterror([0.5, 0.4], "mc").data
    (0.5, 0.4)
    """
    return Modifier(name, "staterror", contents(uncertainty, f"staterror {name!r}"))


def uncorrelated_background(
    signal: Any, bkg: Any, bkg_uncertainty: Any, observed: Any
) -> Workspace:
    """Make a search in one channel whose background is uncertain in each bin by itself.

    The names are those of pyhf's model of this name.

    Args:
        signal: expected signal events, one number a bin.
        bkg: expected background events.
        bkg_uncertainty: their uncertainties in events, a shapesys.
        observed: observed events.

    >>> signal, bkg, uncertainty = [12.0, 11.0], [50.0, 52.0], [3.0, 7.0]
    >>> uncorrelated_background(signal, bkg, uncertainty, [51, 48]).modifiers
    (('mu', 'normfactor'), ('uncorr_bkguncrt', 'shapesys'))
    """
    uncertain = shapesys("uncorr_bkguncrt", bkg_uncertainty)
    return _search(
        "singlechannel", signal, sample("background", bkg, uncertain), observed
    )


def correlated_background(
    signal: Any, bkg: Any, bkg_up: Any, bkg_down: Any, observed: Any
) -> Workspace:
    """Make a search in one channel whose background is uncertain in all bins together.

    The names are those of pyhf's model of this name.

    Args:
        signal: expected signal events, one number a bin.
        bkg: expected background events.
        bkg_up: the same one standard deviation up, a histosys.
        bkg_down: the same one standard deviation down.
        observed: observed events.

    >>> bkg, up, down = [50.0, 52.0], [45.0, 57.0], [55.0, 47.0]
    >>> correlated_background([12.0, 11.0], bkg, up, down, [51, 48]).modifiers
    (('correlated_bkg_uncertainty', 'histosys'), ('mu', 'normfactor'))
    """
    uncertain = histosys("correlated_bkg_uncertainty", bkg_down, bkg_up)
    background = sample("background", bkg, uncertain)
    return _search("single_channel", signal, background, observed)


def _search(name: str, signal: Any, background: Sample, observed: Any) -> Workspace:
    found = channel(name, sample("signal", signal, normfactor("mu")), background)
    return workspace([found], {name: observed}, poi="mu", measurement="Measurement")


def _named(found: Sample, name: str) -> Sample:
    """Return a sample whose staterror has a name."""
    modifiers = [
        replace(modifier, name=f"staterror_{name}")
        if modifier.type == "staterror" and not modifier.name
        else modifier
        for modifier in found.modifiers
    ]
    return replace(found, modifiers=tuple(modifiers))


def _parts(found: Channel) -> Iterator[tuple[str, Any]]:
    """Yield what has one number a bin, with what to call it."""
    for each in found.samples:
        yield f"sample {each.name!r}", each.data
        for modifier in each.modifiers:
            what = f"{modifier.type} {modifier.name!r} of sample {each.name!r}"
            data = modifier.data
            for values in data.values() if isinstance(data, dict) else (data,):
                yield what, values


def _edges(where: str, parts: Iterable[tuple[str, Any]]) -> None:
    """Refuse histograms whose bins have other edges than those of another one."""
    first: tuple[str, tuple[float, ...]] | None = None
    for what, values in parts:
        edges = getattr(values, "edges", ())
        first = first or ((what, edges) if edges else None)
        if first and edges and not _close(edges, first[1]):
            message = f"{where}: {what} has other bin edges than {first[0]}"
            raise SpecificationError(message)


def _close(some: Sequence[float], others: Sequence[float]) -> bool:
    pairs = zip(some, others, strict=False)
    same = len(some) == len(others)
    return same and all(math.isclose(a, b, abs_tol=1e-12) for a, b in pairs)
