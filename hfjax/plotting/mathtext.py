"""Names of labels and expressions as they are set in a picture."""

import re

from matplotlib.mathtext import MathTextParser

from hfjax.errors import DataError

_INDEXED = re.compile(r"([A-Za-z])_?([0-9]+)|([A-Za-z])_([A-Za-z0-9]+)")
_WORD = re.compile(r"[A-Za-z_]\w*")


def mathtext(text: str) -> str:
    r"""Set a label such as `m_parent` as m with an index, others as they are.

    Example:
        >>> mathtext("m_parent"), mathtext("m1"), mathtext("lifetime_ns")
        ('$m_{\\mathrm{parent}}$', '$m_{1}$', 'lifetime_ns')
    """
    return f"${_symbol(text)}$" if _INDEXED.fullmatch(text) else text


def expression_text(text: str) -> str:
    r"""Set an expression of labels.

    Example:
        >>> expression_text("m_parent-m1")
        '$m_{\\mathrm{parent}}-m_{1}$'
    """
    inner = _WORD.sub(lambda found: _symbol(found[0]), text)
    for written, meant in (("*", r"\cdot "), ("<=", r"\leq "), (">=", r"\geq ")):
        inner = inner.replace(written, meant)
    return f"${inner}$"


def _symbol(name: str) -> str:
    """A name inside of a formula."""
    match = _INDEXED.fullmatch(name)
    if match and match[1]:
        return f"{match[1]}_{{{match[2]}}}"
    if match:
        return rf"{match[3]}_{{\mathrm{{{match[4]}}}}}"
    escaped = name.replace("_", r"\_")
    return name if len(name) == 1 else rf"\mathrm{{{escaped}}}"


def check_text(text: str) -> str:
    r"""Return a text, once it is clear that its formulas can be set.

    Raises:
        DataError: They cannot.

    Example:
        >>> check_text(r"$\sqrt{s} = 13$ TeV")
        '$\\sqrt{s} = 13$ TeV'
    """
    if text.replace(r"\$", "").count("$") % 2 == 0:
        try:
            MathTextParser("path").parse(text)
        except ValueError as error:
            shown = str(error).strip().splitlines()[-1].partition(": ")[2]
            message = f"the text {text!r} has a formula that cannot be set: {shown}"
            raise DataError(message) from None
    return text
