"""Digests of published documents as pyhf 0.7.6 gives them, for the tests beside.

    python digests_with_pyhf.py FOLDER > digests_pyhf.json

runs in an environment with pyhf; FOLDER holds the documents.
"""

import json
import sys
from pathlib import Path

from pyhf.utils import digest


def main(folder: Path) -> None:
    """Print the beginnings of sha256 and md5 digests of all JSON files of a folder."""
    found = {}
    for path in sorted(folder.rglob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        digests = [digest(document, algorithm=name)[:16] for name in ("sha256", "md5")]
        found[path.relative_to(folder).as_posix()] = digests
    json.dump(found, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
