"""How the tests run a command: in this process, as a shell would see it."""

import copy
import io
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import pytest
from jax.experimental.compilation_cache import compilation_cache

from hfjax.cli.main import run
from hfjax.documents.reading.digest import digest

EXAMPLES = Path(__file__).parents[2] / "examples"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """Standard output, read as strict JSON."""

        def refuse(constant: str) -> None:
            raise AssertionError(constant)

        return json.loads(self.stdout, parse_constant=refuse)

    @property
    def lines(self) -> list[str]:
        """The lines of standard output, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.stdout).splitlines()

    @property
    def complaint(self) -> str:
        """The one line on standard error of a command that refused its input."""
        assert self.code == 2
        assert self.stdout == ""
        assert self.stderr.startswith("hfjax: ")
        assert self.stderr.count("\n") == 1
        assert "Traceback" not in self.stderr
        return self.stderr


@pytest.fixture(scope="session")
def cache_home(tmp_path_factory) -> Path:
    """A cache folder for all tests here: equal programs are compiled once."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    home = folder / "cache of the command line"
    home.mkdir(mode=0o700, exist_ok=True)
    return home


@pytest.fixture(scope="module", autouse=True)
def without_cache_of_jax() -> Iterator[None]:
    """What JAX reads from its own cache cannot be kept by the command line."""
    kept = ("jax_compilation_cache_dir", "jax_enable_compilation_cache")
    before = {name: jax.config.values[name] for name in kept}
    jax.config.update("jax_enable_compilation_cache", False)
    compilation_cache.reset_cache()
    yield
    for name, value in before.items():
        jax.config.update(name, value)
    compilation_cache.reset_cache()


@pytest.fixture
def hfjax(monkeypatch, capsys, tmp_path, cache_home) -> Callable[..., Outcome]:
    """Run `hfjax` with arguments, in a folder of the test.

    With `columns`, standard output is a terminal of so many.
    """
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_home))
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)

    def command(*arguments: object, stdin: str = "", columns: int = 0) -> Outcome:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: columns > 0, raising=False)
        monkeypatch.setenv("COLUMNS", str(columns or 80))
        monkeypatch.setattr(sys, "argv", ["hfjax", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as caught:
            run()
        captured = capsys.readouterr()
        return Outcome(caught.value.code, captured.out, captured.err)

    return command


@pytest.fixture
def write(tmp_path) -> Callable[[str, Any], Path]:
    """Write a document, or a text, into a file of the test's folder."""

    def file(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return file


SIGNAL = {"name": "mu", "type": "normfactor", "data": None}
UNCERTAINTY = {"name": "stat", "type": "shapesys", "data": [3.0, 7.0]}
HELLO = {
    "channels": [
        {
            "name": "SR",
            "samples": [
                {"name": "signal", "data": [12.0, 11.0], "modifiers": [SIGNAL]},
                {"name": "bkg", "data": [50.0, 52.0], "modifiers": [UNCERTAINTY]},
            ],
        }
    ],
    "observations": [{"name": "SR", "data": [51, 48]}],
    "measurements": [{"name": "m", "config": {"poi": "mu", "parameters": []}}],
    "version": "1.0.0",
}


@pytest.fixture
def hello() -> dict[str, Any]:
    """The smallest workspace with a signal: two bins, one uncertainty a bin."""
    return copy.deepcopy(HELLO)


@pytest.fixture
def background(hello) -> dict[str, Any]:
    """The same without its signal; the measurement still names the POI."""
    del hello["channels"][0]["samples"][0]
    return hello


@pytest.fixture
def twice() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Give the last sample of a workspace two normsys of one name, or what they make.

    Its argument `composed` says which.
    """

    def given(document: dict[str, Any], composed: bool = False) -> dict[str, Any]:
        factors = [(0.72, 1.32)] if composed else [(0.9, 1.1), (0.8, 1.2)]
        document = copy.deepcopy(document)
        modifiers = document["channels"][0]["samples"][-1]["modifiers"]
        for lo, hi in factors:
            data = {"lo": lo, "hi": hi}
            modifiers.append({"name": "jes", "type": "normsys", "data": data})
        return document

    return given


def signal_patch(scale: float) -> list[dict[str, Any]]:
    """A JSON patch that adds the signal."""
    data = [12.0 * scale, 11.0 * scale]
    sample = {"name": "signal", "data": data, "modifiers": [SIGNAL]}
    return [{"op": "add", "path": "/channels/0/samples/-", "value": sample}]


@pytest.fixture
def patchset() -> dict[str, Any]:
    """Three signals of different strength."""
    return {
        "metadata": {
            "references": {"hepdata": "ins1234567"},
            "description": "three signals",
            "digests": {"sha256": "0" * 64},
            "labels": ["m_parent", "m_lsp"],
        },
        "patches": [
            {
                "metadata": {"name": f"point_{i}", "values": [300 + 100 * i, i * i]},
                "patch": signal_patch(scale),
            }
            for i, scale in enumerate((2.0, 1.0, 0.5))
        ],
        "version": "1.0.0",
    }


@pytest.fixture
def files(write, background, patchset) -> tuple[Path, Path]:
    """A background-only workspace and a patchset whose digest fits."""
    patchset["metadata"]["digests"]["sha256"] = digest(background)
    return write("BkgOnly.json", background), write("patchset.json", patchset)


@pytest.fixture(scope="session")
def example() -> tuple[Path, Path]:
    """The example's background-only workspace and patchset."""
    return EXAMPLES / "BkgOnly.json", EXAMPLES / "patchset.json"
