"""Write BkgOnly.json and patchset.json: a made-up search in a plane of two masses.

A pair of heavy particles ("parent") decays to a light invisible one ("lsp"). Two signal
regions look for it, one soft and one hard; two control regions constrain the top-quark
and multijet backgrounds. Everything a published likelihood contains is here in small:
all seven types of modifiers, a parameter of interest that only the patches bring,
patches that drop a channel, and sets of systematic uncertainties that change from point
to point. Nothing is random, so the two files are always the same:

    python examples/make_example.py
"""

import argparse
import hashlib
import json
from collections.abc import Iterator
from math import exp
from pathlib import Path

LUMINOSITY_UNCERTAINTY = 0.017

# Expected events of each background in each bin, and their Monte Carlo uncertainties.
BACKGROUNDS = {
    "CR_top": {
        "top": ([816.0], [9.1]),
        "W": ([97.0], [3.9]),
        "diboson": ([11.5], [0.6]),
    },
    "CR_multijet": {
        "multijet": ([1180.0, 536.0, 208.0, 79.0], None),
        "top": ([61.0, 33.0, 15.2, 6.3], [2.4, 1.7, 1.1, 0.7]),
        "W": ([38.0, 20.5, 9.4, 4.1], [2.2, 1.5, 1.0, 0.7]),
    },
    "SR_low": {
        "top": ([63.5, 37.2, 18.4, 8.3], [2.5, 1.8, 1.2, 0.8]),
        "W": ([30.2, 18.7, 9.9, 4.7], [1.9, 1.4, 1.0, 0.7]),
        "diboson": ([6.1, 4.2, 2.5, 1.3], [0.4, 0.3, 0.2, 0.2]),
        "multijet": ([23.6, 10.72, 4.16, 1.58], None),
    },
    "SR_high": {
        "top": ([11.8, 4.9, 1.7], [0.9, 0.6, 0.3]),
        "W": ([8.4, 4.1, 1.6], [0.8, 0.5, 0.3]),
        "diboson": ([2.6, 1.5, 0.8], [0.2, 0.2, 0.1]),
        "fakes": ([2.3, 0.9, 0.4], None),
    },
}
OBSERVED = {
    "CR_top": [912],
    "CR_multijet": [1291, 574, 241, 88],
    "SR_low": [119, 76, 31, 17],
    "SR_high": [28, 12, 5],
}
CHANNELS = list(BACKGROUNDS)

# Relative shifts of the bins of a channel, up and down.
JET_ENERGY_SCALE = {
    "CR_top": ([0.021], [-0.019]),
    "CR_multijet": ([0.03, 0.038, 0.047, 0.06], [-0.028, -0.035, -0.045, -0.055]),
    "SR_low": ([0.022, 0.034, 0.05, 0.071], [-0.02, -0.031, -0.046, -0.068]),
    "SR_high": ([0.041, 0.068, 0.105], [-0.039, -0.06, -0.09]),
}
FAKES_UNCERTAINTY = [0.9, 0.5, 0.3]


def modifier(kind: str, name: str, data: object = None) -> dict:
    """One modifier of a sample."""
    return {"name": name, "type": kind, "data": data}


def normsys(name: str, up: float, down: float | None = None) -> dict:
    """A relative uncertainty on a sample's normalisation."""
    lo = 1 - up if down is None else 1 + down
    return modifier("normsys", name, {"hi": round(1 + up, 4), "lo": round(lo, 4)})


def histosys(name: str, nominal: list[float], shifts: tuple) -> dict:
    """Relative shifts of each bin, as absolute histograms."""
    hi, lo = (
        [round(n * (1 + s), 4) for n, s in zip(nominal, shift, strict=True)]
        for shift in shifts
    )
    return modifier("histosys", name, {"hi_data": hi, "lo_data": lo})


def simulated(channel: str, nominal: list[float], statistical: list[float]) -> list:
    """What every simulated sample carries, the signal included."""
    return [
        histosys("jet_energy_scale", nominal, JET_ENERGY_SCALE[channel]),
        normsys("lepton_efficiency", 0.012),
        modifier("staterror", f"mc_stat_{channel}", statistical),
    ]


def background_modifiers(channel: str, name: str) -> list[dict]:
    """The modifiers of one background in one channel."""
    nominal, statistical = BACKGROUNDS[channel][name]
    if name == "multijet":  # one shape, measured in the control region
        return [modifier("shapefactor", "multijet_shape")]
    if name == "fakes":
        return [modifier("shapesys", "fakes_method", FAKES_UNCERTAINTY)]
    own = {
        "top": [modifier("normfactor", "mu_top"), normsys("radiation", 0.06, -0.045)],
        "W": [modifier("lumi", "lumi"), normsys("W_scale", 0.11, -0.09)],
        "diboson": [modifier("lumi", "lumi"), normsys("diboson_theory", 0.18)],
    }
    return simulated(channel, nominal, statistical) + own[name]


def measurement() -> dict:
    """The parameter of interest comes with the patches; the luminosity is here."""
    lumi = {
        "name": "lumi",
        "inits": [1.0],
        "bounds": [[0.5, 1.5]],
        "auxdata": [1.0],
        "sigmas": [LUMINOSITY_UNCERTAINTY],
    }
    signal = {"name": "mu_SIG", "inits": [1.0], "bounds": [[0.0, 10.0]]}
    config = {"poi": "mu_SIG", "parameters": [lumi, signal]}
    return {"name": "search", "config": config}


def background_only() -> dict:
    """The background-only workspace."""
    channels = [
        {
            "name": channel,
            "samples": [
                {
                    "name": name,
                    "data": nominal,
                    "modifiers": background_modifiers(channel, name),
                }
                for name, (nominal, _) in samples.items()
            ],
        }
        for channel, samples in BACKGROUNDS.items()
    ]
    return {
        "channels": channels,
        "observations": [{"name": c, "data": OBSERVED[c]} for c in CHANNELS],
        "measurements": [measurement()],
        "version": "1.0.0",
    }


def mass_plane() -> Iterator[tuple[int, int]]:
    """The points: a grid below the diagonal, and one compressed point a column."""
    for m_parent in range(200, 1001, 80):
        for m_lsp in range(0, m_parent - 79, 80):
            yield m_parent, m_lsp
        yield m_parent, m_parent - 50


def signal_yields(m_parent: int, m_lsp: int) -> dict[str, list[float]]:
    """Expected signal events in each bin of each channel the signal reaches."""
    splitting = m_parent - m_lsp
    produced = 52 * exp((650 - m_parent) / 105)
    soft = 0.13 * (1 - exp(-splitting / 90)) * exp(-splitting / 420)
    hard = 0.26 * (1 - exp(-((splitting / 320) ** 2)))
    tail = splitting / (splitting + 350)  # the harder the decay, the later the bin
    fractions = {
        "CR_top": (0.02 * exp(-m_parent / 300), [1.0]),
        "CR_multijet": (0.01 * soft, [0.5, 0.3, 0.15, 0.05]),
        "SR_low": (soft, [0.4 - 0.3 * tail, 0.3 - 0.1 * tail, 0.2, 0.1 + 0.4 * tail]),
        "SR_high": (hard, [0.6 - 0.5 * tail, 0.3, 0.1 + 0.5 * tail]),
    }
    reached = ["SR_low"]
    reached += ["SR_high"] if splitting > 60 else []
    reached += ["CR_top"] if m_parent < 600 else []
    reached += ["CR_multijet"] if m_parent < 360 else []
    return {
        channel: [round(produced * fractions[channel][0] * f, 5) for f in bins]
        for channel in CHANNELS
        if channel in reached
        for bins in [fractions[channel][1]]
    }


def signal_sample(
    m_parent: int, m_lsp: int, channel: str, nominal: list[float]
) -> dict:
    """The signal in one channel; its uncertainties depend on the masses."""
    splitting = m_parent - m_lsp
    statistical = [round(0.06 * n + 0.002, 5) for n in nominal]
    modifiers = [
        modifier("normfactor", "mu_SIG"),
        modifier("lumi", "lumi"),
        *simulated(channel, nominal, statistical),
        normsys("signal_cross_section", round(0.04 + m_parent / 12500, 4)),
    ]
    if splitting < 250:
        modifiers.append(normsys("signal_radiation", round(0.02 + 12 / splitting, 4)))
    if m_parent >= 440:
        shifts = [0.01 * (at + 1) for at in range(len(nominal))]
        down = [-shift for shift in shifts]
        modifiers.append(histosys("jet_energy_resolution", nominal, (shifts, down)))
    if m_parent % 160 == 40:
        modifiers.append(normsys("fast_simulation", 0.05))
    return {
        "name": f"signal_{m_parent}_{m_lsp}",
        "data": nominal,
        "modifiers": modifiers,
    }


def operations(m_parent: int, m_lsp: int) -> list[dict]:
    """Add the signal; a compressed signal leaves the hard signal region out."""
    patch = [
        {
            "op": "add",
            "path": f"/channels/{CHANNELS.index(channel)}/samples/-",
            "value": signal_sample(m_parent, m_lsp, channel, nominal),
        }
        for channel, nominal in signal_yields(m_parent, m_lsp).items()
    ]
    if m_parent - m_lsp <= 60:
        last = CHANNELS.index("SR_high")
        patch.append({"op": "remove", "path": f"/channels/{last}"})
        patch.append({"op": "remove", "path": f"/observations/{last}"})
    return patch


def patchset(workspace: dict) -> dict:
    """All signals, tied to the workspace by its digest."""
    text = json.dumps(workspace, sort_keys=True, ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    return {
        "metadata": {
            "description": "A made-up search for pairs of parents that decay to an lsp",
            "digests": {"sha256": digest},
            "labels": ["m_parent", "m_lsp"],
            "references": {"hepdata": "ins0000000"},
        },
        "patches": [
            {
                "metadata": {
                    "name": f"parent_{m_parent}_lsp_{m_lsp}",
                    "values": [m_parent, m_lsp],
                },
                "patch": operations(m_parent, m_lsp),
            }
            for m_parent, m_lsp in mass_plane()
        ],
        "version": "1.0.0",
    }


def patchset_text(document: dict) -> str:
    """The patchset as JSON with one patch a line."""
    patches = ",\n".join(json.dumps(patch) for patch in document["patches"])
    text = json.dumps(document | {"patches": []}, indent=1)
    return text.replace('"patches": []', f'"patches": [\n{patches}\n ]') + "\n"


def main() -> None:
    """Write both files into a folder, this one by default."""
    parser = argparse.ArgumentParser(description="Write the two files of the example.")
    parser.add_argument("folder", type=Path, nargs="?", default=Path(__file__).parent)
    folder = parser.parse_args().folder
    workspace = background_only()
    text = json.dumps(workspace, indent=1) + "\n"
    (folder / "BkgOnly.json").write_text(text, encoding="utf-8")
    text = patchset_text(patchset(workspace))
    (folder / "patchset.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
