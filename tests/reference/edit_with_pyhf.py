"""Run the edits of `edit_cases.py` with pyhf 0.7.6, and keep digests of the results.

    python -m tests.reference.edit_with_pyhf

in an environment with pyhf writes `edit_pyhf.json`: for each case the digest of the
workspace that pyhf makes, "refused", or what is wrong with the workspace that it makes.
"""

import copy
import json

import pyhf

from tests.reference.edit_cases import (
    COMBINATIONS,
    OPERATIONS,
    REFUSED,
    RESULTS,
    Case,
    cases,
    flaw,
    inputs_digest,
    short_digest,
)

REFUSALS = (
    pyhf.exceptions.InvalidWorkspaceOperation,
    pyhf.exceptions.InvalidSpecification,
)


def outcome(case: Case) -> str:
    """Digest of pyhf's result, or why there is none."""
    first, *others = [pyhf.Workspace(copy.deepcopy(found)) for found in case.documents]
    try:
        if case.operation in COMBINATIONS:
            result = pyhf.Workspace.combine(first, *others, **case.arguments)
        elif case.operation == "sort":
            result = pyhf.Workspace.sorted(first)
        else:
            result = getattr(first, case.operation)(**case.arguments)
    except REFUSALS:
        return REFUSED
    return flaw(result) or short_digest(result)


def main() -> None:
    """Write the file."""
    lines = []
    for operation in OPERATIONS:
        found = [outcome(case) for case in cases(operation)]
        entry = {"inputs": inputs_digest(operation), "outcomes": found}
        lines.append(f"{json.dumps(operation)}: {json.dumps(entry)}")
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
