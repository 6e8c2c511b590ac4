"""Which likelihood of an HS3 document is read, and which of its analyses."""

from hfjax.documents.convert.hs3.document import Analysis, HS3Document, Likelihood
from hfjax.documents.convert.hs3.names import OBSERVED
from hfjax.documents.convert.loss_report import Remarks
from hfjax.errors import SpecificationError, unknown_name

Choice = tuple[Likelihood, tuple[Analysis, ...]]


def chosen_analyses(
    document: HS3Document, name: str | None, remarks: Remarks
) -> Choice:
    """Choose a likelihood, and all analyses of it.

    A workspace has one set of observations. Where the likelihoods of a document have
    several, as those of ROOT that also have Asimov data, the one of observed data is
    taken, or that of the analysis that is named.

    Args:
        document: the document.
        name: of an analysis; only it is read. None for all of a likelihood.
        remarks: is told what is left out.

    Raises:
        SpecificationError: There is no likelihood, or it is not clear which is meant.
        UnknownNameError: There is no analysis of this name.
    """
    pairs = [(_likelihood(document, each), each) for each in document.analyses]
    if not pairs:
        message = "there is no likelihood: distributions and data do not say what fits"
        raise SpecificationError(message, "/likelihoods")
    if name is not None:
        kept = [pair for pair in pairs if pair[1].name == name]
        if not kept:
            names = [analysis.name for analysis in document.analyses]
            error = unknown_name("analysis", name, names, "the document")
            raise error
    else:
        kept = pairs if len(set(map(_content, pairs))) == 1 else _observed(pairs)
    for likelihood, analysis in pairs:
        if (likelihood, analysis) not in kept:
            what = f"analysis {analysis.name!r} of the data {list(likelihood.data)}"
            remarks.lost("analysis", analysis.pointer, what)
    return kept[0][0], tuple(analysis for _, analysis in kept)


Pair = tuple[Likelihood, Analysis]


def _content(pair: Pair) -> tuple[tuple[str, ...], ...]:
    """What a likelihood is made of; its name does not matter."""
    likelihood, _ = pair
    return likelihood.distributions, likelihood.data, likelihood.constraints


def _observed(pairs: list[Pair]) -> list[Pair]:
    """The analyses whose data are called as ROOT calls observed data."""
    kept = [pair for pair in pairs if all(n.startswith(OBSERVED) for n in pair[0].data)]
    if len(set(map(_content, kept))) == 1:
        return kept
    names = [analysis.name for _, analysis in pairs]
    message = (
        f"analyses {names} have different data or distributions, and a workspace has "
        "one set of them: name the analysis that is meant"
    )
    raise SpecificationError(message, "/analyses")


def _likelihood(document: HS3Document, analysis: Analysis) -> Likelihood:
    if analysis.likelihood in document.likelihoods:
        return document.likelihoods[analysis.likelihood]
    names = document.likelihoods
    message = str(
        unknown_name("likelihood", analysis.likelihood, names, "the document")
    )
    raise SpecificationError(message, f"{analysis.pointer}/likelihood")
