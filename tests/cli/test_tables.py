"""Tables for people on a terminal; JSON with --json, in pipes and in files."""

import json

import pytest

from hfjax.tables.parts import rendered_parts, table

LIKELIHOODS = ("offshell", "sbottomA", "sleptons", "staus")


def cells(outcome):
    """The lines of an outcome, each as its cells; none is wider than 80 columns."""
    assert outcome.code == 0
    assert max(map(len, outcome.lines)) <= 80
    return [line.split() for line in outcome.lines]


def signal(example):
    name = "parent_600_lsp_240"
    return (example[0], "--patchset", example[1], "--name", name)


def commands(example):
    return (
        ("inspect", example[0]),
        ("patchset", "inspect", example[1]),
        ("fit", example[0]),
        ("cls", *signal(example)),
    )


@pytest.mark.slow
@pytest.mark.parametrize("index", range(4))
def test_tables_are_for_terminals_only(hfjax, example, tmp_path, index):
    arguments = commands(example)[index]

    def numbers(text):
        found = json.loads(text)
        found.pop("hfjax", None)  # command and seconds differ
        return found

    piped = numbers(hfjax(*arguments).stdout)
    assert numbers(hfjax(*arguments, "--json", columns=80).stdout) == piped
    assert hfjax(*arguments, "-o", "out.json", columns=80).stdout == ""
    assert numbers((tmp_path / "out.json").read_text()) == piped
    shown = hfjax(*arguments, columns=80)
    assert "\x1b[" in shown.stdout
    assert "{" not in shown.stdout
    assert cells(shown)


def test_inspect_shows_channels_modifiers_and_systematics(hfjax, example):
    found = cells(hfjax("inspect", example[0], columns=80))
    assert found[0][1:7] == ["4", "channels,", "12", "bins,", "5", "samples,"]
    assert ["search", "mu_SIG", "(left", "to", "patches)", "26", "21", "0"] in found
    assert ["CR_top", "1", "912", "924.5", "all", "but", "fakes,", "multijet"] in found
    assert ["fakes", "1", "3.6"] in found
    assert ["normsys", "4", "22"] in found
    start = found.index(["normsys,", "4", "of", "4"])
    assert found[start + 1] == ["radiation", "CR_top", "-4.0", "%,", "+5.3", "%"]
    assert ["mc_stat_SR_high", "SR_high", "bin", "2", "±10.6", "%"] in found


def test_inspect_says_why_there_is_no_model(hfjax, hello):
    hello["channels"][0]["samples"][1]["modifiers"].append(
        {"name": "lumi", "type": "lumi", "data": None}
    )
    outcome = hfjax("inspect", stdin=json.dumps(hello), columns=80)
    assert outcome.code == 0
    assert any(line.startswith("m has no model: ") for line in outcome.lines)


def test_inspect_shows_the_bounds_of_the_parameter_of_interest(hfjax, hello):
    found = cells(hfjax("inspect", stdin=json.dumps(hello), columns=80))
    assert ["m", "mu", "from", "0", "to", "10", "3", "2", "0"] in found
    assert ["SR", "2", "99", "125", "signal,", "bkg"] in found


@pytest.mark.slow
@pytest.mark.parametrize("name", LIKELIHOODS)
def test_published_documents_are_shown_in_80_columns(hfjax, data_dir, name):
    folder = data_dir / "likelihoods" / name
    shown = cells(hfjax("inspect", folder / "BkgOnly.json", columns=80))
    assert len(shown) < 120  # of up to 8,635 lines of JSON
    patchset = ("patchset", "inspect", folder / "patchset.json")
    assert len(cells(hfjax(*patchset, columns=80))) < 60


def test_patchset_inspect_shows_ranges_and_the_ends(hfjax, example):
    found = cells(hfjax("patchset", "inspect", example[1], columns=80))
    assert found[0] == ["patchset", "88", "patches"]
    assert ["m_parent", "200", "1000", "11"] in found
    start = found.index(["patches,", "6", "of", "88"])
    assert found[start + 2] == ["parent_200_lsp_0", "200", "0"]
    assert found[start + 5] == ["..."]
    assert found[start + 8] == ["parent_1000_lsp_950", "1000", "950"]
    assert found[start + 9] == []
    assert ["88", "bring", "the", "normfactor", "mu_SIG"] in found
    assert ["57", "change", "/channels/2,", "/channels/3"] in found
    named = ("patchset", "inspect", example[1], "-w", example[0])
    assert ["57", "change", "SR_high,", "SR_low"] in cells(hfjax(*named, columns=80))


def test_patchset_inspect_shows_all_of_few_patches_and_what_is_odd(hfjax, write, files):
    document = json.loads(files[1].read_text())
    document["patches"][1]["patch"] = []
    document["patches"][2]["metadata"]["values"] = ["high", 4]
    path = write("patchset.json", document)
    found = cells(hfjax("patchset", "inspect", path, columns=80))
    assert ["m_parent", "300", "400", "3", "high"] in found
    assert ["point_2", "high", "4"] in found
    assert ["..."] not in found
    assert ["1", "bring", "no", "normfactor:", "point_1"] in found
    assert ["1", "have", "no", "operation:", "point_1"] in found


def test_fit_shows_parameters_and_what_matters_of_them(hfjax, hello):
    hello["observations"][0]["data"] = [40, 40]
    parameters = [{"name": "mu", "bounds": [[0.0, 4.0]]}]
    hello["measurements"][0]["config"]["parameters"] = parameters
    text = json.dumps(hello)
    outcome = hfjax("fit", stdin=text, columns=80)
    found = cells(outcome)
    assert ["mu", "0", "-", "POI,", "at", "bound"] in found
    result = hfjax("fit", stdin=text).json
    assert ["-2", "ln", "L", f"{result['twice_nll']:.4f}"] in found
    assert outcome.lines[-1] == f"converged after {result['steps']} steps"
    gamma = result["mle_parameters"]["stat"][1]
    width = result["uncertainties"]["stat"][1]
    assert ["stat[1]", f"{gamma:.4f}", f"{width:.4f}"] in found
    held = cells(hfjax("fit", "--test-poi", "0.5", stdin=text, columns=80))
    assert ["mu", "0.5000", "-", "held"] in held
    parameters[0]["fixed"] = True
    fixed = cells(hfjax("fit", stdin=json.dumps(hello), columns=80))
    assert ["mu", "1", "-", "fixed"] in fixed


def test_fit_shows_the_largest_correlations(hfjax, hello):
    hello["observations"][0]["data"] = [71, 73]
    text = json.dumps(hello)
    found = cells(hfjax("fit", "--correlations", stdin=text, columns=80))
    start = found.index(["largest", "correlations"])
    assert found[start + 1] == ["parameter", "and", "correlation"]
    pairs = found[start + 2 : start + 5]
    result = hfjax("fit", "--correlations", stdin=text).json
    names, values = (result["correlations"][key] for key in ("names", "values"))
    for one, other, value in pairs:
        known = values[names.index(one)][names.index(other)]
        assert value == f"{known:.3f}"
    sizes = [abs(float(value)) for *_, value in pairs]
    assert sizes == sorted(sizes, reverse=True)
    mu, (width,) = result["mle_parameters"]["mu"][0], result["uncertainties"]["mu"]
    assert ["mu", f"{mu:.4f}", "±", f"{width:.4f}"] in found


@pytest.mark.slow
def test_cls_shows_the_band_with_its_labels(hfjax, example):
    outcome = hfjax("cls", *signal(example), columns=80)
    found = cells(outcome)
    assert found[0] == ["test", "of", "mu_SIG", "=", "1", "with", "qtilde"]
    heads = [
        "observed",
        "-2",
        "sigma",
        "-1",
        "sigma",
        "median",
        "+1",
        "sigma",
        "+2",
        "sigma",
    ]
    assert found[2] == heads
    assert found[3] == [
        "CLs",
        "0.0491",
        "0.000377",
        "0.00305",
        "0.0215",
        "0.115",
        "0.391",
    ]
    assert ["excluded", "at", "95%", "observed:", "yes,", "expected:", "yes"] in found
    assert ["CLsb", "0.0334"] in [cell[:2] for cell in found]
    assert ["mu_hat", "0.167"] in [cell[:2] for cell in found]
    assert outcome.lines[-1] == "converged after 16 steps"


@pytest.mark.slow
def test_cls_of_q0_shows_significances(hfjax, example):
    shown = hfjax("cls", *signal(example), "--test-stat", "q0", columns=80)
    found = cells(shown)
    assert found[0] == ["test", "of", "mu_SIG", "=", "0", "with", "q0"]
    assert [cell[0] for cell in found[3:5]] == ["p0", "Z"]
    assert not any("excluded" in line for line in shown.lines)


@pytest.mark.slow
def test_a_failed_test_has_no_numbers(hfjax, example):
    outcome = hfjax("cls", *signal(example), "--max-steps", "2", columns=80)
    assert outcome.code == 3
    assert outcome.lines[1].startswith("max_steps after ")
    assert len(outcome.lines) == 2
    assert outcome.stderr.startswith("hfjax: max_steps: ")


@pytest.mark.slow
def test_scan_shows_points_with_their_labels(hfjax, files):
    outcome = hfjax("scan", *files, columns=80)
    found = cells(outcome)
    assert found[0] == ["CLs", "of", "3", "points"]
    columns = "name m_parent m_lsp observed expected mu_hat"
    assert found[2] == columns.split()
    result = hfjax("scan", *files, "--json", columns=80).json
    shown = dict(zip((row[0] for row in found[3:]), found[3:], strict=True))
    for point in result["points"]:
        _, *numbers = shown[point["name"]]
        assert numbers[:2] == [str(value) for value in point["values"]]
        CLs = [point["CLs_obs"], point["CLs_exp"][2], point["mu_hat"]]
        assert numbers[2:5] == [f"{value:.3g}" for value in CLs]
        assert numbers[5:] == (["excluded"] if point["CLs_obs"] < 0.05 else [])
    assert any("excluded" in row for row in found)
    assert not all("excluded" in row for row in found[3:])


@pytest.mark.slow
def test_scan_of_q0_shows_significances_and_what_failed(hfjax, files):
    found = cells(hfjax("scan", *files, "--test-stat", "q0", columns=80))
    assert found[0][0] == "p0"
    assert found[2][-2:] == ["mu_hat", "Z"]
    outcome = hfjax("scan", *files, "--max-steps", "1", columns=80)
    assert outcome.code == 3
    assert outcome.lines[-1].split()[3:] == ["-"] * 3 + ["max_steps"]


def test_what_a_terminal_would_obey_is_written_out():
    shown = rendered_parts([table({"name": "left"}, [("\x1b[2J[bold]",)])], colour=True)
    assert "\\x1b[2J[bold]" in shown
