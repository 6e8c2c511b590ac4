"""hfjax: HistFactory likelihoods in JAX.

This file is the contents page: every public name and the module it comes from. A name
is imported when it is first used, so that reading and checking documents
(`hfjax.Workspace`, `hfjax.PatchSet`) never loads JAX.
"""

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0.dev0"

CONTENTS = {
    "hfjax.errors": (
        "ArchiveError",
        "ArgumentError",
        "DataError",
        "DerivativeError",
        "DigestError",
        "EditError",
        "DownloadError",
        "FitError",
        "HfjaxError",
        "MissingPOIError",
        "ModelError",
        "ParameterError",
        "PatchError",
        "PrecisionError",
        "SpecificationError",
        "UnknownNameError",
    ),
    "hfjax.spec.workspace": (
        "Channel",
        "Measurement",
        "Modifier",
        "Observation",
        "ParameterConfig",
        "Sample",
        "Workspace",
    ),
    "hfjax.spec.finding": ("Finding",),
    "hfjax.spec.lint": ("check",),
    "hfjax.spec.patchset": ("Patch", "PatchSet", "apply_patch"),
    "hfjax.spec.combine": ("Join", "combine", "shared_parameters"),
    "hfjax.spec.edit": ("rename", "select", "sort"),
    "hfjax.spec.prune": ("Place", "prune"),
    "hfjax.spec.prune_small": ("SmallPruning", "SmallSystematic", "prune_small"),
    "hfjax.spec.signal": ("ChannelSignal", "Signal"),
    "hfjax.spec.signal_patches": ("make_patchset",),
    "hfjax.spec.signal_table": ("read_signals",),
    "hfjax.spec.archive_limits": ("ArchiveLimits",),
    "hfjax.spec.contents": ("ArchiveContents", "Document", "list_contents"),
    "hfjax.spec.hepdata": ("Download", "DownloadSettings", "download"),
    "hfjax.spec.simple": (
        "channel",
        "correlated_background",
        "histosys",
        "lumi",
        "normfactor",
        "normsys",
        "sample",
        "shapefactor",
        "shapesys",
        "staterror",
        "uncorrelated_background",
        "workspace",
    ),
    "hfjax.spec.histfactory_xml": ("XmlImport", "XmlSettings", "read_xml"),
    "hfjax.spec.histfactory_write": ("XmlLayout", "write_xml"),
    "hfjax.spec.hs3.read": ("HS3Import", "HS3Settings", "read_hs3"),
    "hfjax.spec.hs3.shape_errors": ("ShapeSysValues",),
    "hfjax.spec.hs3.write": ("write_hs3",),
    "hfjax.spec.loss_report": ("LossReport", "Remark", "load_binning"),
    "hfjax.spec.root_names": ("ParameterName", "parameter_name", "root_names"),
    "hfjax.model.build": ("build",),
    "hfjax.model.model": ("Data", "Model"),
    "hfjax.model.settings": ("ModelSettings",),
    "hfjax.fit.diagnosis": ("Diagnosis", "NegativeRate", "diagnose"),
    "hfjax.fit.flat_directions": ("FlatDirection",),
    "hfjax.fit.status": ("FitSettings", "FitStatus"),
    "hfjax.fit.program_store": ("ProgramStore",),
    "hfjax.fit.mle": ("fit", "fixed_poi_fit"),
    "hfjax.fit.result": ("FitResult",),
    "hfjax.fit.valley_report": ("ValleyReport", "valley_report"),
    "hfjax.fit.ending": ("FitEnding", "fit_ending"),
    "hfjax.infer.explain": ("explain", "named_fits"),
    "hfjax.infer.hypotest": ("HypotestResult", "hypotest"),
    "hfjax.infer.profile": ("ProfileResult", "profile"),
    "hfjax.infer.test_statistics": (
        "named_test_statistic",
        "q0",
        "qmu",
        "qmu_tilde",
        "tmu",
        "tmu_tilde",
    ),
    "hfjax.plot.discovery": ("draw_discovery", "write_discovery"),
    "hfjax.plot.exclusion": ("draw_exclusion", "write_exclusion"),
    "hfjax.plot.plane": ("check_plane",),
    "hfjax.scan.point": ("scan_point",),
    "hfjax.scan.plan": ("ScanBatch", "build_scan"),
    "hfjax.scan.records": ("Provenance", "ScanPoint", "ScanResult"),
    "hfjax.scan.run": ("ScanInterrupted", "scan"),
}

_HOME = {name: module for module, names in CONTENTS.items() for name in names}

if TYPE_CHECKING:  # the same list, for type checkers and editors
    from hfjax.errors import ArchiveError as ArchiveError
    from hfjax.errors import ArgumentError as ArgumentError
    from hfjax.errors import DataError as DataError
    from hfjax.errors import DerivativeError as DerivativeError
    from hfjax.errors import DigestError as DigestError
    from hfjax.errors import DownloadError as DownloadError
    from hfjax.errors import EditError as EditError
    from hfjax.errors import FitError as FitError
    from hfjax.errors import HfjaxError as HfjaxError
    from hfjax.errors import MissingPOIError as MissingPOIError
    from hfjax.errors import ModelError as ModelError
    from hfjax.errors import ParameterError as ParameterError
    from hfjax.errors import PatchError as PatchError
    from hfjax.errors import PrecisionError as PrecisionError
    from hfjax.errors import SpecificationError as SpecificationError
    from hfjax.errors import UnknownNameError as UnknownNameError
    from hfjax.fit.diagnosis import Diagnosis as Diagnosis
    from hfjax.fit.diagnosis import NegativeRate as NegativeRate
    from hfjax.fit.diagnosis import diagnose as diagnose
    from hfjax.fit.ending import FitEnding as FitEnding
    from hfjax.fit.ending import fit_ending as fit_ending
    from hfjax.fit.flat_directions import FlatDirection as FlatDirection
    from hfjax.fit.mle import fit as fit
    from hfjax.fit.mle import fixed_poi_fit as fixed_poi_fit
    from hfjax.fit.program_store import ProgramStore as ProgramStore
    from hfjax.fit.result import FitResult as FitResult
    from hfjax.fit.status import FitSettings as FitSettings
    from hfjax.fit.status import FitStatus as FitStatus
    from hfjax.fit.valley_report import ValleyReport as ValleyReport
    from hfjax.fit.valley_report import valley_report as valley_report
    from hfjax.infer.explain import explain as explain
    from hfjax.infer.explain import named_fits as named_fits
    from hfjax.infer.hypotest import HypotestResult as HypotestResult
    from hfjax.infer.hypotest import hypotest as hypotest
    from hfjax.infer.profile import ProfileResult as ProfileResult
    from hfjax.infer.profile import profile as profile
    from hfjax.infer.test_statistics import named_test_statistic as named_test_statistic
    from hfjax.infer.test_statistics import q0 as q0
    from hfjax.infer.test_statistics import qmu as qmu
    from hfjax.infer.test_statistics import qmu_tilde as qmu_tilde
    from hfjax.infer.test_statistics import tmu as tmu
    from hfjax.infer.test_statistics import tmu_tilde as tmu_tilde
    from hfjax.model.build import build as build
    from hfjax.model.model import Data as Data
    from hfjax.model.model import Model as Model
    from hfjax.model.settings import ModelSettings as ModelSettings
    from hfjax.plot.discovery import draw_discovery as draw_discovery
    from hfjax.plot.discovery import write_discovery as write_discovery
    from hfjax.plot.exclusion import draw_exclusion as draw_exclusion
    from hfjax.plot.exclusion import write_exclusion as write_exclusion
    from hfjax.plot.plane import check_plane as check_plane
    from hfjax.scan.plan import ScanBatch as ScanBatch
    from hfjax.scan.plan import build_scan as build_scan
    from hfjax.scan.point import scan_point as scan_point
    from hfjax.scan.records import Provenance as Provenance
    from hfjax.scan.records import ScanPoint as ScanPoint
    from hfjax.scan.records import ScanResult as ScanResult
    from hfjax.scan.run import ScanInterrupted as ScanInterrupted
    from hfjax.scan.run import scan as scan
    from hfjax.spec.archive_limits import ArchiveLimits as ArchiveLimits
    from hfjax.spec.combine import Join as Join
    from hfjax.spec.combine import combine as combine
    from hfjax.spec.combine import shared_parameters as shared_parameters
    from hfjax.spec.contents import ArchiveContents as ArchiveContents
    from hfjax.spec.contents import Document as Document
    from hfjax.spec.contents import list_contents as list_contents
    from hfjax.spec.edit import rename as rename
    from hfjax.spec.edit import select as select
    from hfjax.spec.edit import sort as sort
    from hfjax.spec.finding import Finding as Finding
    from hfjax.spec.hepdata import Download as Download
    from hfjax.spec.hepdata import DownloadSettings as DownloadSettings
    from hfjax.spec.hepdata import download as download
    from hfjax.spec.histfactory_write import XmlLayout as XmlLayout
    from hfjax.spec.histfactory_write import write_xml as write_xml
    from hfjax.spec.histfactory_xml import XmlImport as XmlImport
    from hfjax.spec.histfactory_xml import XmlSettings as XmlSettings
    from hfjax.spec.histfactory_xml import read_xml as read_xml
    from hfjax.spec.hs3.read import HS3Import as HS3Import
    from hfjax.spec.hs3.read import HS3Settings as HS3Settings
    from hfjax.spec.hs3.read import read_hs3 as read_hs3
    from hfjax.spec.hs3.shape_errors import ShapeSysValues as ShapeSysValues
    from hfjax.spec.hs3.write import write_hs3 as write_hs3
    from hfjax.spec.lint import check as check
    from hfjax.spec.loss_report import LossReport as LossReport
    from hfjax.spec.loss_report import Remark as Remark
    from hfjax.spec.loss_report import load_binning as load_binning
    from hfjax.spec.patchset import Patch as Patch
    from hfjax.spec.patchset import PatchSet as PatchSet
    from hfjax.spec.patchset import apply_patch as apply_patch
    from hfjax.spec.prune import Place as Place
    from hfjax.spec.prune import prune as prune
    from hfjax.spec.prune_small import SmallPruning as SmallPruning
    from hfjax.spec.prune_small import SmallSystematic as SmallSystematic
    from hfjax.spec.prune_small import prune_small as prune_small
    from hfjax.spec.root_names import ParameterName as ParameterName
    from hfjax.spec.root_names import parameter_name as parameter_name
    from hfjax.spec.root_names import root_names as root_names
    from hfjax.spec.signal import ChannelSignal as ChannelSignal
    from hfjax.spec.signal import Signal as Signal
    from hfjax.spec.signal_patches import make_patchset as make_patchset
    from hfjax.spec.signal_table import read_signals as read_signals
    from hfjax.spec.simple import channel as channel
    from hfjax.spec.simple import correlated_background as correlated_background
    from hfjax.spec.simple import histosys as histosys
    from hfjax.spec.simple import lumi as lumi
    from hfjax.spec.simple import normfactor as normfactor
    from hfjax.spec.simple import normsys as normsys
    from hfjax.spec.simple import sample as sample
    from hfjax.spec.simple import shapefactor as shapefactor
    from hfjax.spec.simple import shapesys as shapesys
    from hfjax.spec.simple import staterror as staterror
    from hfjax.spec.simple import uncorrelated_background as uncorrelated_background
    from hfjax.spec.simple import workspace as workspace
    from hfjax.spec.workspace import Channel as Channel
    from hfjax.spec.workspace import Measurement as Measurement
    from hfjax.spec.workspace import Modifier as Modifier
    from hfjax.spec.workspace import Observation as Observation
    from hfjax.spec.workspace import ParameterConfig as ParameterConfig
    from hfjax.spec.workspace import Sample as Sample
    from hfjax.spec.workspace import Workspace as Workspace
else:

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*sorted(_HOME), "__version__"]


class _ContentsModule(types.ModuleType):
    """The module `hfjax`: its functions `fit` and `scan` win over the packages.

    Importing the package `hfjax.fit` makes Python set the attribute `fit` of `hfjax` to
    that package; without this class, `hfjax.fit(model, data)` would work or not
    depending on what had been imported before.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOME and isinstance(value, types.ModuleType)):
            types.ModuleType.__setattr__(self, name, value)


sys.modules[__name__].__class__ = _ContentsModule
