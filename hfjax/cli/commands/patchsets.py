"""Commands on patchsets, none of which needs JAX."""

from dataclasses import dataclass
from typing import Annotated

import typer

from hfjax.cli.options import (
    BackgroundArgument,
    ComposeOption,
    NoVerifyOption,
    OutputOption,
    PatchNameOption,
    PatchSetArgument,
    takes,
)
from hfjax.cli.streams import complain, load_both, refuse_shared_input, write_json
from hfjax.cli.tables import JsonOption, write_result
from hfjax.documents.inspect.patchset import patchset_summary
from hfjax.documents.patchset.make import (
    NO_RECORD,
    make_patchset,
    without_events,
)
from hfjax.documents.patchset.patchset import PatchSet
from hfjax.documents.patchset.signal_table import read_signals
from hfjax.documents.workspace.workspace import Workspace
from hfjax.tables.parts import listed
from hfjax.tables.patchsets import patchset_parts

_NAMED = 10  # signals without events that are named


@dataclass(frozen=True)
class PatchSetInspectOptions:
    """Options of `hfjax patchset inspect`."""

    patchset: PatchSetArgument = "-"
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace",
            "-w",
            help="Workspace the patchset is made for, which names the channels.",
        ),
    ] = None
    as_json: JsonOption = False
    output: OutputOption = None


@dataclass(frozen=True)
class ExtractOptions:
    """Options of `hfjax patchset extract`."""

    name: PatchNameOption
    patchset: PatchSetArgument = "-"
    metadata: Annotated[
        bool,
        typer.Option(
            "--with-metadata/--without-metadata",
            help="The patch with its name, its values and what the patchset says of "
            "itself, or its operations only, the default.",
        ),
    ] = False
    output: OutputOption = None


@dataclass(frozen=True)
class ApplyOptions:
    """Options of `hfjax patchset apply`."""

    name: PatchNameOption
    bkgonly: BackgroundArgument = "-"
    patchset: PatchSetArgument = "-"
    no_verify: NoVerifyOption = False
    compose: ComposeOption = False
    output: OutputOption = None


@dataclass(frozen=True)
class VerifyOptions:
    """Options of `hfjax patchset verify`."""

    bkgonly: BackgroundArgument = "-"
    patchset: PatchSetArgument = "-"
    compose: ComposeOption = False
    output: OutputOption = None


@dataclass(frozen=True)
class MakeOptions:
    """Options of `hfjax patchset make`."""

    bkgonly: BackgroundArgument
    table: Annotated[
        str,
        typer.Argument(
            metavar="TABLE",
            help="CSV or JSON file of the signals, or - for standard input.",
        ),
    ]
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="NAME,NAME",
            help="Columns that say where a signal is, such as m_parent,m_lsp; a JSON "
            "table names them itself.",
        ),
    ] = None
    description: Annotated[
        str, typer.Option(metavar="WORDS", help="What the signals are.")
    ] = ""
    hepdata: Annotated[
        str, typer.Option(metavar="RECORD", help="Their record, such as ins1748602.")
    ] = NO_RECORD
    poi: Annotated[
        str | None,
        typer.Option(
            help="Name of the signals' strength; the parameter of interest of the "
            "measurements by default."
        ),
    ] = None
    allow_negative: Annotated[
        bool,
        typer.Option(
            "--allow-negative",
            help="Take signals with events below zero too, such as interference.",
        ),
    ] = False
    output: OutputOption = None


@takes(PatchSetInspectOptions)
def inspect(options: PatchSetInspectOptions) -> None:
    """Show a patchset's labels and ranges, its patches, and what they change.

    Tables on a terminal; JSON with --json, in a pipe or in a file:

    hfjax patchset inspect patchset.json --workspace BkgOnly.json
    """
    workspace = None
    if options.workspace is None:
        patchset = PatchSet.load(options.patchset)
    else:
        workspace, patchset = load_both(options.workspace, options.patchset)
    found = patchset_summary(patchset, workspace)
    write_result(found, options.output, options.as_json, patchset_parts)


@takes(ExtractOptions)
def extract(options: ExtractOptions) -> None:
    """Write one patch as a JSON patch, for `hfjax cls --patch`.

    Example: hfjax patchset extract patchset.json --name m_600_240 -o signal.json
    """
    patchset = PatchSet.load(options.patchset)
    document = patchset[options.name].dump()
    document["metadata"] = patchset.metadata | document["metadata"]
    write_json(document if options.metadata else document["patch"], options.output)


@takes(ApplyOptions)
def apply(options: ApplyOptions) -> None:
    """Write the workspace with one patch applied.

    hfjax patchset apply BkgOnly.json patchset.json --name m_600_240 -o both.json
    """
    workspace, patchset = load_both(options.bkgonly, options.patchset, options.compose)
    patched = patchset.apply(workspace, options.name, verify=not options.no_verify)
    write_json(patched.dump(), options.output)


@takes(VerifyOptions)
def verify(options: VerifyOptions) -> None:
    """Check that a patchset is made for a workspace.

    Example: hfjax patchset verify BkgOnly.json patchset.json
    """
    workspace, patchset = load_both(options.bkgonly, options.patchset, options.compose)
    patchset.verify(workspace)
    write_json({"verified": True, "digests": patchset.digests}, options.output)


@takes(MakeOptions)
def make(options: MakeOptions) -> None:
    """Make a patchset from a table of signal events, by the names of channels.

    hfjax patchset make BkgOnly.json signals.csv --labels mass,lsp -o grid.json

    A CSV table has a line for each signal and, in any order, the columns of
    --labels and these, of which all but the first are optional:

    CHANNEL[0], CHANNEL[1], ...: events in the bins of a channel; left out
    or left empty where the signal gives none;
    staterror:CHANNEL[0], ...: their statistical uncertainties in events;
    normsys:NAME: a relative uncertainty, 0.08 for 8 %; or
    normsys:NAME:lo and normsys:NAME:hi: factors;
    histosys:NAME:lo:CHANNEL[0], histosys:NAME:hi:CHANNEL[0], ...: events at
    one standard deviation down and up;
    cross_section: multiplies all events of its line; in pb, those are
    acceptance times efficiency times luminosity in 1/pb;
    lumi: true where the uncertainty of the luminosity applies;
    name: name of the patch.

    A JSON table is a list of objects that say the same for each channel:

    {"values": {"m_parent": 600}, "cross_section": 0.5, "lumi": true,
    "normsys": {NAME: 0.08, NAME: {"lo": 0.9, "hi": 1.2}},
    "channels": {"SR": [1.5, 0.5], "CR": {"data": [0.1],
    "staterror": [0.02], "normsys": {...},
    "histosys": {NAME: {"lo_data": [0.09], "hi_data": [0.12]}}}}}
    """
    refuse_shared_input(options.bkgonly, options.table)
    workspace = Workspace.load(options.bkgonly)
    given = options.labels.split(",") if options.labels else []
    labels = [label.strip() for label in given] or None
    signals = read_signals(options.table, labels or (), negative=options.allow_negative)
    if empty := without_events(signals):
        names = listed(empty, _NAMED)
        complain(f"warning: signals without events in any bin: {names}")
    patchset = make_patchset(
        workspace,
        signals,
        labels,
        description=options.description,
        hepdata=options.hepdata,
        poi=options.poi,
    )
    write_json(patchset.dump(), options.output)
