"""The peers' virtual environments: made once, outside the repository, with pip.

The versions are the ones hfjax is compared with, so they are exact; what they depend
on is left to pip, and the versions it chose are part of every report.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = {
    # NumPy 2.4 removed what pyhf's toys need, not what its asymptotics need
    "pyhf": ["pyhf[jax]==0.7.6"],
    "pyhf-minuit": ["pyhf[jax,minuit]==0.7.6"],
    "nextstat": ["nextstat==0.10.1"],
}


def default_cache() -> Path:
    """The folder that holds the environments unless the user names another."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "hfjax" / "peers"


def environment(name: str, cache: Path) -> Path:
    """The folder of a peer's environment, made if it is not there yet.

    Args:
        name: a key of ``REQUIREMENTS``.
        cache: the folder that holds the environments.

    Returns:
        the environment; its programs are in ``bin``.

    Raises:
        subprocess.CalledProcessError: the installation failed.
    """
    folder = cache / f"{name}-py{sys.version_info[0]}{sys.version_info[1]}"
    done = folder / "installed.txt"
    wanted = "\n".join(REQUIREMENTS[name])
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        _install(folder, REQUIREMENTS[name])
        done.write_text(wanted, encoding="utf-8")
    return folder


def _install(folder: Path, requirements: list[str]) -> None:
    print(f"installing {' '.join(requirements)} in {folder}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [program(folder, "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *requirements], check=True, stdout=sys.stderr)


def program(folder: Path, name: str) -> Path:
    """A program of an environment."""
    return folder / ("Scripts" if os.name == "nt" else "bin") / name
