"""Commands on patchsets, none of which needs JAX."""

from dataclasses import dataclass
from typing import Annotated

import typer

from hfjax.cli.options import (
    BackgroundArgument,
    NoVerifyOption,
    OutputOption,
    PatchNameOption,
    PatchSetArgument,
    takes,
)
from hfjax.cli.streams import load_both, write_json
from hfjax.spec.patchset import PatchSet
from hfjax.spec.patchset_summary import patchset_summary


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
            help="The patch with its name and values, or its operations only.",
        ),
    ] = False
    output: OutputOption = None


@dataclass(frozen=True)
class ApplyOptions:
    """Options of `hfjax patchset apply`."""

    bkgonly: BackgroundArgument
    patchset: PatchSetArgument
    name: PatchNameOption
    no_verify: NoVerifyOption = False
    output: OutputOption = None


@dataclass(frozen=True)
class VerifyOptions:
    """Options of `hfjax patchset verify`."""

    bkgonly: BackgroundArgument
    patchset: PatchSetArgument
    output: OutputOption = None


@takes(PatchSetInspectOptions)
def inspect(options: PatchSetInspectOptions) -> None:
    """Show a patchset's labels and ranges, its patches, and what they change."""
    workspace = None
    if options.workspace is None:
        patchset = PatchSet.load(options.patchset)
    else:
        workspace, patchset = load_both(options.workspace, options.patchset)
    write_json(patchset_summary(patchset, workspace), options.output)


@takes(ExtractOptions)
def extract(options: ExtractOptions) -> None:
    """Write one patch as a JSON patch, for `hfjax cls --patch`."""
    document = PatchSet.load(options.patchset)[options.name].dump()
    write_json(document if options.metadata else document["patch"], options.output)


@takes(ApplyOptions)
def apply(options: ApplyOptions) -> None:
    """Write the workspace with one patch applied."""
    workspace, patchset = load_both(options.bkgonly, options.patchset)
    patched = patchset.apply(workspace, options.name, verify=not options.no_verify)
    write_json(patched.dump(), options.output)


@takes(VerifyOptions)
def verify(options: VerifyOptions) -> None:
    """Check that a patchset is made for a workspace."""
    workspace, patchset = load_both(options.bkgonly, options.patchset)
    patchset.verify(workspace)
    write_json({"verified": True, "digests": patchset.digests}, options.output)
