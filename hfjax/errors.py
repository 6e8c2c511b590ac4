"""What can go wrong, as exceptions with one base class.

Every message says what is wrong, where (a JSON pointer or names), and what to do.
"""

import difflib
from collections.abc import Iterable
from typing import Any


class HfjaxError(Exception):
    """Base class of all errors that hfjax raises on purpose.

    >>> issubclass(PatchError, HfjaxError)
    True
    """


class SpecificationError(HfjaxError):
    """A document cannot be read, or is not what its schema and its meaning ask.

    Args:
        message: what is wrong, where, and what to do.
        pointer: JSON pointer to the place in the document; "" is the whole document.

    >>> print(SpecificationError("expected a number", "/channels/0/samples/1/data/2"))
    expected a number (at /channels/0/samples/1/data/2)
    """

    def __init__(self, message: str, pointer: str = "") -> None:
        super().__init__(message)
        self.pointer = pointer

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} (at {self.pointer})" if self.pointer else message

    def inside(self, name: str, pointer: str = "") -> "SpecificationError":
        """Return this error as seen from what contains its place.

        Args:
            name: the name of what its place is in, which goes before the message.
            pointer: JSON pointer to it, which goes before the pointer.

        >>> print(SpecificationError("no bins", "/data").inside("top", "/samples/0"))
        top: no bins (at /samples/0/data)
        """
        return SpecificationError(f"{name}: {self.args[0]}", pointer + self.pointer)


class ArgumentError(HfjaxError, TypeError):
    """A function was given something of another kind than it takes."""


class UnknownNameError(HfjaxError):
    """A name that does not exist was asked for; see `unknown_name`."""


class DigestError(HfjaxError):
    """A patchset is not made for this workspace: a digest differs."""


class PatchError(HfjaxError):
    """A JSON patch cannot be applied to this workspace."""


class EditError(HfjaxError):
    """An edit that cannot be made, or that would leave no valid workspace."""


class ArchiveError(HfjaxError):
    """An archive is broken, is none, or asks for what no honest archive needs."""


class DownloadError(HfjaxError):
    """A download is not allowed, or did not succeed."""


class ModelError(HfjaxError):
    """A workspace that its schema accepts has no meaning as a model."""


class PrecisionError(HfjaxError):
    """A model was asked for while JAX runs in float32."""


class MissingPOIError(HfjaxError):
    """A parameter of interest is needed, and the model has none."""


class ParameterError(HfjaxError):
    """Parameter values, initial values or bounds that the model cannot take."""


class DataError(HfjaxError):
    """Data of the wrong shape or content."""


class FitError(HfjaxError):
    """A fit that did not succeed, where the caller asked for an error."""


def check_kind(
    what: str, given: Any, wanted: Any, remedy: str, called: str = ""
) -> None:
    """Refuse an argument of another kind than a function takes.

    Args:
        what: what the argument is, such as "the workspace" or "groups".
        given: what was given.
        wanted: the class that it has to be of, or several of them.
        remedy: what to do.
        called: what that is called; the name of the class by default.

    Raises:
        ArgumentError: it is of another class.

    >>> check_kind("the level", "0.05", float, "give a number")
    Traceback (most recent call last):
    ...
    hfjax.errors.ArgumentError: the level is of type str, and has to be a float: give \
a number
    >>> check_kind("bins", 3, list, "give [0.68]")
    Traceback (most recent call last):
    ...
    hfjax.errors.ArgumentError: bins are of type int, and have to be a list: give [0.68]
    """
    if not isinstance(given, wanted):
        ours = getattr(wanted, "__module__", "").startswith("hfjax.")
        name = called or f"{'hfjax.' if ours else ''}{wanted.__name__}"
        noun = what.removeprefix("the ")
        several = noun == "data" or (noun.isalpha() and noun.endswith("s"))
        are, have = ("are", "have") if several else ("is", "has")
        article = "an" if name[0] in "aeiou" else "a"
        message = (
            f"{what} {are} of type {type(given).__name__}, and {have} to be "
            f"{article} {name}: {remedy}"
        )
        raise ArgumentError(message)


def check_level(level: Any, example: str) -> None:
    """Refuse what is no probability between 0 and 1, both excluded.

    Args:
        level: what was given.
        example: of one, and what it means.

    Raises:
        ArgumentError: says what to give.

    Example:
        >>> check_level(5, "0.95")
        Traceback (most recent call last):
        hfjax.errors.ArgumentError: a level of 5: give one between 0 and 1, 0.95
    """
    check_kind("the level", level, (int, float), example, "number")
    if not 0.0 < level < 1.0:
        message = f"a level of {level:g}: give one between 0 and 1, {example}"
        raise ArgumentError(message)


def close_names(name: str, names: Iterable[str], limit: int = 3) -> tuple[str, ...]:
    """Return the names that are spelled most like `name`, or have it in them.

    >>> close_names("SRlow", ["SR_low", "SR_high", "CRtop"])
    ('SR_low',)
    >>> close_names("Top", ["EG_RESOLUTION_ALL", "TopSystHardCodeSR1"])
    ('TopSystHardCodeSR1',)
    """
    known = list(names)
    near = difflib.get_close_matches(name, known, n=limit)
    inside = [each for each in known if name and name.lower() in each.lower()]
    return tuple(dict.fromkeys([*near, *inside]))[:limit]


def unknown_name(
    kind: str, name: str, names: Iterable[str], where: str = ""
) -> UnknownNameError:
    """Make the error for a name that does not exist, with what was perhaps meant.

    Args:
        kind: what the name should be the name of, such as "channel".
        name: the name that was asked for.
        names: the names that exist.
        where: the thing that was searched, such as "the workspace".

    >>> print(unknown_name("channel", "SRlow", ["SR_low", "CR"], "the workspace"))
    no channel named 'SRlow' in the workspace: did you mean 'SR_low'?
    """
    known = list(names)
    near = close_names(name, known)
    if near:
        hint = f"did you mean {' or '.join(map(repr, near))}?"
    elif known:
        shown = ", ".join(map(repr, known[:10]))
        more = f" and {len(known) - 10} more" if len(known) > 10 else ""
        hint = f"there are {shown}{more}"
    else:
        hint = "there is none at all"
    place = f" in {where}" if where else ""
    return UnknownNameError(f"no {kind} named {name!r}{place}: {hint}")


def several_components(name: str, size: int) -> ModelError:
    """Make the error for a parameter of interest that is not one number."""
    message = (
        f"the parameter of interest {name!r} has {size} components: name a parameter "
        f"with a single one, or one of its components, such as '{name}[0]' (`--poi`, "
        "in Python `Model.with_poi`)"
    )
    return ModelError(message)


def missing_poi(named: str | None, otherwise: str = "") -> MissingPOIError:
    """Make the error for a parameter of interest that no modifier brings."""
    what = f"{named!r} is not in the model" if named else "the measurement names none"
    message = (
        f"a parameter of interest is needed, and {what}: add a signal whose normfactor "
        "brings it, by a patch (patch=..., or --patch and --patchset on the command "
        "line)" + (f"; or {otherwise}" if otherwise else "")
    )
    return MissingPOIError(message)


def fixed_poi(name: str | None) -> ModelError:
    """Make the error for a test of a parameter of interest that is fixed."""
    message = (
        f"the parameter of interest {name!r} is fixed, so that no value of it can be "
        "tested: remove `fixed` from its entry in the measurement"
    )
    return ModelError(message)


def derived_poi(name: str) -> ParameterError:
    """Make the error for a parameter to be held that an expression gives."""
    message = (
        f"parameter {name!r} is given by an expression, so that no value of it can be "
        "held: take one of the parameters in the expression"
    )
    return ParameterError(message)


def outside_bounds(
    name: str, value: float, bounds: tuple[float, float], remedy: str
) -> ParameterError:
    """Make the error for a value outside its bounds."""
    lower, upper = bounds
    message = (
        f"{name} = {value:g} is outside its bounds [{lower:g}, {upper:g}]: {remedy}"
    )
    return ParameterError(message)
