"""The contents page: every public name of hfjax, and the module it comes from."""

from .building.batch import build_scan as build_scan
from .building.build import build as build
from .building.data_set import with_data as with_data
from .building.points import ScanBatch as ScanBatch, ScanGroup as ScanGroup
from .compiled.store import ProgramStore as ProgramStore
from .documents.check.check import check as check
from .documents.check.finding import Finding as Finding
from .documents.convert.histfactory.read import (
    XmlImport as XmlImport,
    XmlSettings as XmlSettings,
    read_xml as read_xml,
)
from .documents.convert.histfactory.write import (
    XmlLayout as XmlLayout,
    write_xml as write_xml,
)
from .documents.convert.hs3.read import (
    HS3Import as HS3Import,
    HS3Settings as HS3Settings,
    read_hs3 as read_hs3,
)
from .documents.convert.hs3.shape_errors import ShapeSysValues as ShapeSysValues
from .documents.convert.hs3.write import write_hs3 as write_hs3
from .documents.convert.loss_report import (
    LossReport as LossReport,
    Remark as Remark,
    load_binning as load_binning,
)
from .documents.convert.root_names import (
    ParameterName as ParameterName,
    parameter_name as parameter_name,
    root_names as root_names,
)
from .documents.edit.combine import (
    Join as Join,
    combine as combine,
    shared_parameters as shared_parameters,
)
from .documents.edit.prune import Place as Place, prune as prune
from .documents.edit.prune_small import (
    SmallPruning as SmallPruning,
    SmallSystematic as SmallSystematic,
    prune_small as prune_small,
)
from .documents.edit.rename import rename as rename
from .documents.edit.select import select as select
from .documents.edit.sort import sort as sort
from .documents.patchset.make import make_patchset as make_patchset
from .documents.patchset.patchset import (
    Patch as Patch,
    PatchSet as PatchSet,
    apply_patch as apply_patch,
)
from .documents.patchset.signal_table import read_signals as read_signals
from .documents.published.archive_limits import ArchiveLimits as ArchiveLimits
from .documents.published.contents import (
    ArchiveContents as ArchiveContents,
    Document as Document,
    list_contents as list_contents,
)
from .documents.published.hepdata import (
    Download as Download,
    DownloadSettings as DownloadSettings,
    download as download,
)
from .documents.workspace.builders import (
    channel as channel,
    correlated_background as correlated_background,
    histosys as histosys,
    lumi as lumi,
    normfactor as normfactor,
    normsys as normsys,
    sample as sample,
    shapefactor as shapefactor,
    shapesys as shapesys,
    staterror as staterror,
    uncorrelated_background as uncorrelated_background,
    workspace as workspace,
)
from .documents.workspace.channel import (
    Channel as Channel,
    Modifier as Modifier,
    Observation as Observation,
    Sample as Sample,
)
from .documents.workspace.measurement import (
    Measurement as Measurement,
    ParameterConfig as ParameterConfig,
)
from .documents.workspace.signal import ChannelSignal as ChannelSignal, Signal as Signal
from .documents.workspace.workspace import Workspace as Workspace
from .errors import (
    ArchiveError as ArchiveError,
    ArgumentError as ArgumentError,
    DataError as DataError,
    DigestError as DigestError,
    DownloadError as DownloadError,
    EditError as EditError,
    FitError as FitError,
    HfjaxError as HfjaxError,
    MissingPOIError as MissingPOIError,
    ModelError as ModelError,
    ParameterError as ParameterError,
    PatchError as PatchError,
    PrecisionError as PrecisionError,
    SpecificationError as SpecificationError,
    UnknownNameError as UnknownNameError,
)
from .fitting.best_fit import fit as fit, fixed_poi_fit as fixed_poi_fit
from .fitting.covariance import covariance as covariance
from .fitting.covariance_result import (
    CovarianceResult as CovarianceResult,
    CovarianceStatus as CovarianceStatus,
)
from .fitting.diagnose.diagnosis import (
    Diagnosis as Diagnosis,
    NegativeRate as NegativeRate,
    diagnose as diagnose,
)
from .fitting.diagnose.ending import FitEnding as FitEnding, fit_ending as fit_ending
from .fitting.diagnose.flat_directions import FlatDirection as FlatDirection
from .fitting.diagnose.pulls import (
    pull_uncertainties as pull_uncertainties,
    pulls as pulls,
)
from .fitting.diagnose.valley_report import (
    ValleyReport as ValleyReport,
    valley_report as valley_report,
)
from .fitting.result import FitResult as FitResult
from .fitting.status import FitSettings as FitSettings, FitStatus as FitStatus
from .inference.breakdown import uncertainty_breakdown as uncertainty_breakdown
from .inference.breakdown_result import (
    BreakdownResult as BreakdownResult,
    BreakdownStatus as BreakdownStatus,
)
from .inference.contour import contour as contour
from .inference.contour_result import ContourResult as ContourResult
from .inference.explain import explain as explain, fits_by_name as fits_by_name
from .inference.goodness import goodness_of_fit as goodness_of_fit
from .inference.goodness_result import (
    GoodnessResult as GoodnessResult,
    GoodnessStatus as GoodnessStatus,
)
from .inference.hypotest import hypotest as hypotest
from .inference.impacts import impacts as impacts
from .inference.impacts_result import (
    ImpactsResult as ImpactsResult,
    ImpactStatus as ImpactStatus,
)
from .inference.intervals import intervals as intervals
from .inference.intervals_result import (
    IntervalsResult as IntervalsResult,
    IntervalStatus as IntervalStatus,
)
from .inference.limit_curve import limit_curve as limit_curve
from .inference.limit_grid import interpolated_limits as interpolated_limits
from .inference.limit_result import (
    LimitCurve as LimitCurve,
    LimitResult as LimitResult,
    LimitStatus as LimitStatus,
)
from .inference.limits import upper_limit as upper_limit
from .inference.profile import ProfileResult as ProfileResult, profile as profile
from .inference.significance import significance as significance
from .inference.significance_result import SignificanceResult as SignificanceResult
from .inference.test_result import HypotestResult as HypotestResult
from .inference.test_statistics import (
    find_test_statistic as find_test_statistic,
    q0 as q0,
    qmu as qmu,
    qmu_tilde as qmu_tilde,
    tmu as tmu,
    tmu_tilde as tmu_tilde,
)
from .inference.toy_limit import toy_limit as toy_limit
from .inference.toy_limit_result import (
    ToyCurve as ToyCurve,
    ToyLimitResult as ToyLimitResult,
)
from .inference.toy_settings import ToySettings as ToySettings
from .inference.toys import toys as toys
from .inference.toys_file import (
    load_toys as load_toys,
    merge_toys as merge_toys,
    save_toys as save_toys,
)
from .inference.toys_result import ToysResult as ToysResult
from .inference.yields import yields as yields
from .inference.yields_result import Events as Events, YieldsResult as YieldsResult
from .model.data import Data as Data
from .model.model import Model as Model
from .model.settings import ModelSettings as ModelSettings
from .plotting.canvas import Picture as Picture
from .plotting.contour import draw_contour as draw_contour
from .plotting.coordinates import check_drawable as check_drawable
from .plotting.correlations import draw_correlations as draw_correlations
from .plotting.discovery import (
    draw_discovery as draw_discovery,
    write_discovery as write_discovery,
)
from .plotting.distributions import draw_distributions as draw_distributions
from .plotting.exclusion import (
    draw_exclusion as draw_exclusion,
    write_exclusion as write_exclusion,
)
from .plotting.hypothesis import draw_test as draw_test
from .plotting.impacts import draw_impacts as draw_impacts
from .plotting.limit import draw_limit as draw_limit
from .plotting.limits import draw_limits as draw_limits
from .plotting.profile import draw_profile as draw_profile
from .plotting.pulls import draw_fit as draw_fit
from .plotting.settings import PlotSettings as PlotSettings
from .plotting.signal_grid import (
    SignalGrid as SignalGrid,
    draw_signal_grid as draw_signal_grid,
)
from .plotting.toys import draw_toys as draw_toys
from .plotting.variations import (
    draw_variations as draw_variations,
    write_variations as write_variations,
)
from .provenance import Provenance as Provenance
from .reporting.report import Report as Report, report as report
from .results.breakdown_record import BreakdownRecord as BreakdownRecord
from .results.contour_record import ContourRecord as ContourRecord
from .results.covariance_record import CovarianceRecord as CovarianceRecord
from .results.fit_record import FitRecord as FitRecord
from .results.goodness_record import GoodnessOfFitRecord as GoodnessOfFitRecord
from .results.hypotest_record import HypotestRecord as HypotestRecord
from .results.impacts_record import Impact as Impact, ImpactsRecord as ImpactsRecord
from .results.interval import Interval as Interval
from .results.intervals_record import IntervalsRecord as IntervalsRecord
from .results.limit_record import CurveRecord as CurveRecord, LimitRecord as LimitRecord
from .results.limits_scan import (
    LimitPoint as LimitPoint,
    LimitsScanResult as LimitsScanResult,
)
from .results.load import load_result as load_result
from .results.named_matrix import NamedMatrix as NamedMatrix
from .results.profile_record import ProfileRecord as ProfileRecord
from .results.scan import (
    ScanPoint as ScanPoint,
    ScanResult as ScanResult,
)
from .results.significance_record import SignificanceRecord as SignificanceRecord
from .results.toy_limit_record import (
    ToyCurveRecord as ToyCurveRecord,
    ToyLimitRecord as ToyLimitRecord,
)
from .results.toys_record import ToysRecord as ToysRecord
from .results.yields_record import (
    EventsRecord as EventsRecord,
    YieldsRecord as YieldsRecord,
)
from .scanning.execution import ScanInterrupted as ScanInterrupted
from .scanning.limits import scan_limits as scan_limits
from .scanning.point import scan_point as scan_point
from .scanning.run import scan as scan
from .version import __version__ as __version__
