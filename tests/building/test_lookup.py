"""Each parameter finds its modifiers and constraint terms, each channel its bins."""

import numpy as np
import pytest

from hfjax.compiled.canonical import canonical
from tests.compiled import test_canonical as compiled
from tests.workspaces import make, many_bins

DOCUMENTS = {**compiled.DOCUMENTS, "many bins": many_bins}
each_document = pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)


def both(document):
    """A model as it is, and of canonical sizes."""
    model, data = make(document)
    return model, canonical(model, data)[0]


def indices(model):
    """What tells a parameter, by kind; and where each parameter is looked up."""
    own, block = model.lookup, model.block
    return {
        "histosys": (block.histosys.index, own.histosys),
        "normsys": (block.normsys.index, own.normsys),
        "gaussian": (model.gaussian.index, own.gaussian),
        "poisson": (model.poisson.index, own.poisson),
        "lognormal": (model.lognormal.index, own.lognormal),
    }


@each_document
def test_what_acts_through_a_parameter_is_found_and_nothing_else(document):
    for index, found in indices(both(document())[0]).values():
        index, found = np.asarray(index).tolist(), np.asarray(found).tolist()
        for position, place in enumerate(found):
            known = index.index(position) if position in index else len(index)
            assert place == known


@each_document
def test_it_is_found_at_the_same_place_of_canonical_sizes(document):
    """Derived parameters stay behind all others."""
    own, padded = both(document())
    size, more = (each.parameters.init.size for each in (own, padded))
    one, other = indices(own), indices(padded)
    for kind, (index, found) in one.items():
        its_index, its_found = map(np.asarray, other[kind])
        for position, place in enumerate(np.asarray(found)):
            moved = position if position < size else position + more - size
            none = place == index.size
            assert its_found[moved] == (its_index.size if none else place)
        assert np.all(its_found[size:more] == its_index.size)


@each_document
def test_each_channel_has_its_own_bins(document):
    own, padded = both(document())
    for model in (own, padded):
        bins, count = np.asarray(model.lookup.bins), model.bin_channel.size
        for channel in range(len(own.names.channels)):
            mine = np.flatnonzero(np.asarray(own.bin_channel) == channel)
            found = bins[channel][bins[channel] < count]
            np.testing.assert_array_equal(found, mine)
        assert np.all(bins[len(own.names.channels) :] == count)


def test_parameters_of_one_bin_are_found_there():
    for model in both(many_bins()):
        places, size = model.local, model.parameters.init.size
        others, index = np.asarray(places.others), np.asarray(places.index)
        for position in range(size):
            row, slot, bin_ = (
                int(each[position]) for each in (places.row, places.slot, places.bin)
            )
            assert (row < others.size) == (position in others)
            assert row == others.size or others[row] == position
            assert (slot < len(index)) == (position in index)
            assert slot == len(index) or index[slot, bin_] == position
