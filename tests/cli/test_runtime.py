"""Where the command line keeps compiled programs, and where it does not."""

import stat

import pytest

from hfjax.cli.runtime import jax_folder, program_folder


@pytest.fixture
def caches(monkeypatch, tmp_path):
    """A cache folder of the user, and one that the user has given to JAX."""
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path / "jax"))
    return tmp_path


def test_programs_are_kept_in_a_folder_of_their_own(caches):
    folder = program_folder()
    assert folder == caches / "cache" / "hfjax" / "programs"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_folder_that_jax_was_given_is_for_jax(caches):
    assert jax_folder() == caches / "jax"


def test_without_a_folder_nothing_is_kept(caches):
    (caches / "cache").write_text("a file, where the folder should be")
    assert program_folder() is None


@pytest.mark.slow
def test_a_folder_that_others_can_write_to_is_a_line_of_warning(
    hfjax, hello, write, monkeypatch, tmp_path
):
    path = write("ws.json", hello)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))  # not that of all tests
    folder = program_folder()
    assert folder is not None
    folder.chmod(0o777)
    outcome = hfjax("fit", path)
    assert outcome.code == 0
    assert outcome.json["status"] == "converged"
    (line,) = outcome.stderr.splitlines()
    assert line.startswith(f"hfjax: warning: no compiled programs are kept in {folder}")
    assert not list(folder.iterdir())
    assert hfjax("fit", path, "--no-cache").stderr == ""
