"""The result of `limit`, as tables for people."""

from hfjax.tables.parts import Document, Parts, facts, line, table
from hfjax.tables.results import BAND, five, heading, lacking, short


def limit_parts(document: Document, what: str) -> Parts:
    """The table of limits; those that do not exist say why.

    Args:
        document: the result of `hfjax limit`.
        what: what the limits are on, in a few words.
    """
    yield heading(document, what)
    yield line("")
    values = [document["limit_obs"], *document["limit_exp"]]
    rows = zip(("observed", *BAND), values, document["status"], strict=True)
    yield table(
        {"limit": "left", "value": "right", "": "left"},
        ((name, five(value), lacking(status)) for name, value, status in rows),
    )
    yield facts({"best fit": short(document["mu_hat"])})


def toy_limit_parts(document: Document, what: str) -> Parts:
    """The table of limits by toys, with their errors.

    Args:
        document: the result of `hfjax limit --calculator toys`.
        what: what the limits are on, in a few words.
    """
    yield heading(document, what)
    yield line("")
    keys = ("limit_obs", "limit_exp"), ("limit_obs_error", "limit_exp_error")
    values, errors = ([document[one], *document[band]] for one, band in keys)
    rows = zip(("observed", *BAND), values, errors, document["status"], strict=True)
    yield table(
        {"limit": "left", "value": "right", "+-": "right", "": "left"},
        ((name, five(v), short(e), lacking(status)) for name, v, e, status in rows),
    )
    tested = document["curve"]["poi_values"]
    yield facts(
        {
            "best fit": short(document["mu_hat"]),
            "toys": f"{document['toys']} of each hypothesis at {len(tested)} values",
            "failed": str(sum(document["curve"]["lost"])),
        }
    )
