"""Which likelihood of an HS3 document is read, and which of its analyses."""

import warnings

from hfjax.errors import SpecificationError, unknown_name
from hfjax.spec.hs3.document import Analysis, HS3Document, Likelihood
from hfjax.spec.hs3.names import OBSERVED

Choice = tuple[Likelihood, tuple[Analysis, ...]]


def chosen_analyses(document: HS3Document, name: str | None = None) -> Choice:
    """Choose a likelihood, and all analyses of it.

    A workspace has one set of observations. Where the likelihoods of a document have
    several, as those of ROOT that also have Asimov data, the one of observed data is
    taken, or that of the analysis that is named.

    Args:
        document: the document.
        name: of an analysis; only its measurement is read.

    Warns:
        UserWarning: Analyses are left out.

    Raises:
        SpecificationError: There is no likelihood, or it is not clear which is meant.
        UnknownNameError: There is no analysis of this name.
    """
    if name is not None:
        named = {analysis.name: analysis for analysis in document.analyses}
        if name not in named:
            error = unknown_name("analysis", name, named, "the document")
            raise error
        return _likelihood(document, named[name]), (named[name],)
    pairs = [(_likelihood(document, each), each) for each in document.analyses]
    contents = {(found.distributions, found.data, found.constraints) for found, _ in pairs}
    if len(contents) > 1:
        kept = [pair for pair in pairs if _is_observed(pair[0])]
        contents = {(found.distributions, found.data) for found, _ in kept}
        if len(contents) != 1:
            raise _unclear(document)
        left = [each.name for pair in pairs if pair not in kept for each in pair[1:]]
        message = (
            f"analyses {left} are left out: they are not about the observed data of "
            f"{kept[0][0].name!r}"
        )
        warnings.warn(message, stacklevel=2)
        pairs = kept
    if not pairs:
        message = "there is no likelihood: distributions and data do not say what fits"
        raise SpecificationError(message, "/likelihoods")
    return pairs[0][0], tuple(analysis for _, analysis in pairs)


def _likelihood(document: HS3Document, analysis: Analysis) -> Likelihood:
    if analysis.likelihood in document.likelihoods:
        return document.likelihoods[analysis.likelihood]
    names = document.likelihoods
    message = str(unknown_name("likelihood", analysis.likelihood, names, "the document"))
    raise SpecificationError(message, f"{analysis.pointer}/likelihood")


def _is_observed(likelihood: Likelihood) -> bool:
    """Whether the data are called as ROOT calls observed data."""
    return all(name.startswith(OBSERVED) for name in likelihood.data)


def _unclear(document: HS3Document) -> SpecificationError:
    names = [analysis.name for analysis in document.analyses]
    message = (
        f"analyses {names} have different data or distributions, and a workspace has "
        "one set of them: name the analysis that is meant"
    )
    return SpecificationError(message, "/analyses")
