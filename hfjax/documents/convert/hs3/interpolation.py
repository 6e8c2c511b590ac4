"""Interpolation codes of HS3 documents: the two that hfjax's documents mean.

HS3 names the code of each modifier, in one of three ways: by ROOT's number, by a name,
or by the functions inside and outside of one standard deviation. A workspace has no
place for codes: normsys means code4 and histosys code4p.
"""

from typing import Any

from hfjax.documents.convert.hs3.document import Object
from hfjax.errors import SpecificationError

_POLYNOMIAL = {
    "normsys": {"type": "mult", "in": "poly6", "out": "exp"},
    "histosys": {"type": "add", "in": "poly6", "out": "poly1"},
}
_SAME = {
    "normsys": (4, 5, "4", "5", "code4"),
    "histosys": (4, "4", "code4p", "poly6"),
}
_OURS = {"normsys": "code4", "histosys": "code4p"}


def check_interpolation(
    kind: str, modifier: Object, channel: Object, where: str, pointer: str
) -> None:
    """Refuse a normsys or histosys that is interpolated in another way than ours.

    Args:
        kind: "normsys" or "histosys".
        modifier: the modifier; pyhs3 has the code in its data.
        channel: the distribution, which may have a code for all its modifiers.
        where: what the modifier is and belongs to, for the message.
        pointer: JSON pointer to the modifier.

    Raises:
        SpecificationError: The code is another one.

    >>> check_interpolation("normsys", {"interpolation": 4}, {}, "normsys 'a'", "/0")
    >>> check_interpolation("normsys", {"interpolation": 0}, {}, "normsys 'a'", "/0")
    Traceback (most recent call last):
    ...
    hfjax.errors.SpecificationError: normsys 'a' is interpolated by 0, and hfjax reads \
only code4 for a normsys: {"type": "mult", "in": "poly6", "out": "exp"} (at /0)
    """
    data = modifier.get("data")
    for holder, key in (
        (modifier, "interpolation"),
        (data if isinstance(data, dict) else {}, "interpolation"),
        (channel, "default_interpolation"),
    ):
        if key in holder:
            if not _is_ours(kind, holder[key]):
                raise _refused(kind, holder[key], where, pointer)
            return


def _is_ours(kind: str, code: Any) -> bool:
    if isinstance(code, dict):
        wanted = _POLYNOMIAL[kind]
        return {key: code.get(key) for key in wanted} == wanted
    return not isinstance(code, bool) and code in _SAME[kind]


def _refused(kind: str, code: Any, where: str, pointer: str) -> SpecificationError:
    wanted = ", ".join(f'"{k}": "{v}"' for k, v in _POLYNOMIAL[kind].items())
    shown = code if not isinstance(code, dict) else dict(code)
    message = (
        f"{where} is interpolated by {shown!r}, and hfjax reads only {_OURS[kind]} "
        f"for a {kind}: {{{wanted}}}"
    )
    return SpecificationError(message, pointer)
