"""Several continuations of one text, read at once."""

import pytest

from ragkit.models.packing import Packed, read_packed

TAPS = (1, 3)
TEXT = [1, 40, 50, 60, 70, 80]
FOLLOW = ([100, 110], [120], [130, 140, 150, 160])


def read_alone(layers, tokens):
    """What the decoder itself makes of the tokens in one row."""
    import torch

    with torch.inference_mode():
        read = layers(torch.tensor([tokens]), use_cache=False, output_hidden_states=True).hidden_states
    return [read[tap][0] for tap in TAPS]


def read(layers, *packs):
    import torch

    with torch.inference_mode():
        return read_packed(layers, packs, TAPS)


def alike(states, others):
    return all((state - other).abs().max() < 1e-4 for state, other in zip(states, others, strict=True))


def test_text_and_continuations_get_what_they_get_when_each_is_read_alone(tiny_layers):
    pack = Packed(TEXT, FOLLOW)
    (states,) = read(tiny_layers, pack)
    (_, text), *continuations = pack.stretches()
    assert alike([tap[: len(text)] for tap in states], read_alone(tiny_layers, text))
    for start, tokens in continuations:
        alone = [tap[len(text) :] for tap in read_alone(tiny_layers, text + tokens)]
        assert alike([tap[start : start + len(tokens)] for tap in states], alone)


@pytest.mark.parametrize("changed", range(len(FOLLOW)))
def test_a_continuation_sees_no_other(tiny_layers, changed):
    pack = Packed(TEXT, FOLLOW)
    other = Packed(TEXT, tuple([99] * len(tokens) if n == changed else tokens for n, tokens in enumerate(FOLLOW)))
    (before,), (after,) = read(tiny_layers, pack), read(tiny_layers, other)
    for number, (start, tokens) in enumerate(pack.stretches()):
        here = slice(start, start + len(tokens))
        assert alike([tap[here] for tap in before], [tap[here] for tap in after]) == (number != changed + 1)


def test_packs_of_different_length_are_read_together_as_alone(tiny_layers):
    packs = [Packed(TEXT, FOLLOW), Packed([1, 99], ([200],)), Packed([1, 77], ())]
    for pack, together in zip(packs, read(tiny_layers, *packs), strict=True):
        assert [tap.shape for tap in together] == [(pack.length, tiny_layers.config.hidden_size)] * len(TAPS)
        assert alike(together, read(tiny_layers, pack)[0])
