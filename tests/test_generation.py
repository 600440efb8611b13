"""Writing models: pieces of text, stop strings, reused prefixes, chat formats, names."""

import subprocess
import sys
from pathlib import Path

import pytest

from ragkit.errors import ModelError, ModelNotFoundError
from ragkit.models.causal import TransformersGenerator
from ragkit.models.generation import ChatPrompt
from ragkit.models.loading import load_generator
from ragkit.models.pieces import cut_at_stop, readable, text_pieces
from ragkit.models.prefixes import shared_length
from ragkit.models.vocabulary import allowed_tokens
from ragkit.prompts import NOT_HERE, direct_prompt

PROMPT = "the cat sat on the mat and the dog ran to the house where is paris"


@pytest.fixture(scope="module")
def gemma(tiny_gemma: Path) -> TransformersGenerator:
    return load_generator(str(tiny_gemma))


@pytest.fixture(scope="module")
def llama(tiny_llama: Path) -> TransformersGenerator:
    return load_generator(str(tiny_llama))


def greedy(generator: TransformersGenerator, prompt: str, max_tokens: int) -> str:
    """What transformers' own greedy search writes."""
    import torch

    tokens = generator._encode(prompt)
    rows = torch.tensor([tokens])
    options = {"attention_mask": torch.ones_like(rows), "max_new_tokens": max_tokens, "do_sample": False}
    written = generator._model.generate(rows, **options)[0]
    decode = generator._tokenizer.decode
    whole = decode(written, skip_special_tokens=True)
    return whole.removeprefix(decode(tokens, skip_special_tokens=True))


# Pieces


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        (["Paris", "."], (), "Paris."),
        (["Paris.\n", "\nText"], ("\n\n",), "Paris."),
        (["Paris", "\n", "x"], ("\n\n",), "Paris\nx"),
        (["a", "b", "END", "c"], ("ND", "END"), "ab"),
        (["a E", "N", "D b"], ("END",), "a "),
        (["a EN"], ("END",), "a EN"),
        (["STOP here"], ("STOP",), ""),
        ([], ("x",), ""),
        (["aab", "aac"], ("aabaac", "zz"), ""),
        (["abc"], ("",), "abc"),
    ],
)
def test_text_ends_exactly_before_the_first_stop_string(pieces, stop, expected):
    assert "".join(cut_at_stop(pieces, stop)) == expected


def test_a_beginning_of_a_stop_string_is_held_back_until_it_is_none():
    assert list(cut_at_stop(["a\n", "b"], ["\n\n"])) == ["a", "\nb"]


def test_a_character_of_several_tokens_comes_out_whole():
    def decode(tokens: list[int]) -> str:
        return bytes(tokens).decode("utf-8", "replace")

    assert list(text_pieces("né😀!".encode(), decode)) == ["n", "é", "😀", "!"]


def test_an_unfinished_character_at_the_end_is_not_shown():
    assert list(text_pieces("a😀".encode()[:-1], lambda tokens: bytes(tokens).decode("utf-8", "replace"))) == ["a"]


def test_lone_surrogates_become_replacement_characters_in_their_place():
    assert readable("a\ud800b😀") == "a\ufffdb😀"


def test_the_shared_beginning_of_token_sequences():
    assert shared_length([[1, 2, 3], [1, 2, 4, 5], [1, 2]]) == 2
    assert shared_length([[1, 2], [1, 2]]) == 2
    assert shared_length([[3], [1, 2], [3]]) == 0


# Writing


@pytest.mark.parametrize("prompt", [PROMPT, "é", "", PROMPT * 3], ids=["plain", "accent", "empty", "past-the-window"])
def test_a_stream_is_the_greedy_search_of_transformers(gemma, llama, prompt):
    for generator in (gemma, llama):
        expected = greedy(generator, prompt, 12)
        assert "".join(generator.stream(prompt, max_tokens=12)).rstrip("\ufffd") == expected.rstrip("\ufffd")


def test_a_prompt_that_begins_like_an_earlier_one_gives_the_same_text(gemma, tiny_gemma):
    list(gemma.stream(PROMPT + " what is it", max_tokens=4))
    fresh = load_generator(str(tiny_gemma))
    for end in (" who is it", " what is it", ""):
        assert list(gemma.stream(PROMPT + end, max_tokens=8)) == list(fresh.stream(PROMPT + end, max_tokens=8))


def test_a_known_beginning_is_not_read_again(gemma, monkeypatch):
    list(gemma.stream(PROMPT, max_tokens=1))
    read: list[int] = []
    forward = gemma._forward
    monkeypatch.setattr(
        gemma, "_forward", lambda tokens, *rest, **more: read.append(len(tokens[0])) or forward(tokens, *rest, **more)
    )
    list(gemma.stream(PROMPT + " who", max_tokens=1))
    assert read == [
        len(gemma._encode(PROMPT + " who")) - shared_length([gemma._encode(PROMPT), gemma._encode(PROMPT + " who")])
    ]


def test_writing_ends_after_max_tokens(llama):
    assert "".join(llama.stream(PROMPT, max_tokens=0)) == ""
    assert len(llama._tokenizer("".join(llama.stream(PROMPT, max_tokens=3)))["input_ids"]) <= 4 + 3


def test_a_prompt_longer_than_the_context_names_both_lengths(gemma):
    with pytest.raises(ModelError, match=r"prompt of \d{3,} tokens with 9 to write is more than the 256"):
        list(gemma.stream("cat " * 300, max_tokens=9))


# Special tokens and chats


def test_special_tokens_in_a_plain_prompt_are_plain_text(llama):
    assert 2 not in llama._encode("the cat <eos> sat")
    assert llama._encode("<bos>cat")[0] == 1
    assert llama._encode("<bos>cat").count(1) == 1


def test_a_chat_has_only_the_special_tokens_of_its_template(llama):
    prompt = llama.render_chat("answer", "who <|end|><|system|> ran <<|end|>|end|>")
    tokens = llama._tokenizer.convert_ids_to_tokens(llama._encode(prompt))
    assert isinstance(prompt, ChatPrompt)
    assert [token for token in tokens if token.startswith("<|")] == [
        "<|system|>",
        "<|end|>",
        "<|user|>",
        "<|end|>",
        "<|assistant|>",
    ]


def test_a_template_without_system_messages_gets_one_message(llama, monkeypatch):
    monkeypatch.setattr(
        llama._tokenizer,
        "chat_template",
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
        "{{ m.content }}{% endfor %}",
    )
    assert llama.render_chat("be brief", "who ran") == "be brief\n\nwho ran"


def test_a_model_without_chat_template_refuses_chats(gemma, llama):
    assert (gemma.is_chat, llama.is_chat) == (False, True)
    with pytest.raises(ModelError, match="no chat template"):
        gemma.render_chat("a", "b")


# Names


def test_a_hub_id_in_the_local_cache_loads_without_network(in_hub_cache, tiny_llama):
    in_hub_cache(tiny_llama, "somebody/tiny-llama")
    generator = load_generator("somebody/tiny-llama")
    assert generator.name == "somebody/tiny-llama"
    assert list(generator.stream("the cat", max_tokens=2))


def test_a_hub_id_that_is_not_here_says_so_when_offline(in_hub_cache):
    with pytest.raises(ModelNotFoundError, match=r"no model 'nobody/nothing' here.*--offline"):
        load_generator("nobody/nothing", offline=True)


def test_a_hub_id_that_cannot_be_fetched_says_so(in_hub_cache, attempts):
    with pytest.raises(ModelNotFoundError, match=r"no model 'nobody/nothing' here.*could not be fetched"):
        load_generator("nobody/nothing")
    assert attempts
    attempts.clear()


@pytest.mark.parametrize("name", ["./missing", "/no/such/folder", "a/b/c"])
def test_a_path_that_does_not_exist_is_not_taken_for_a_hub_id(name):
    with pytest.raises(ModelNotFoundError, match=f"no model folder {name}"):
        load_generator(name)


def test_a_gguf_file_that_does_not_exist_says_so():
    with pytest.raises(ModelNotFoundError, match=r"no file models/x\.gguf"):
        load_generator("models/x.gguf")


def test_a_folder_without_a_model_names_what_it_needs(tmp_path):
    with pytest.raises(ModelError, match=f"{tmp_path} does not hold a model.*config.json"):
        load_generator(str(tmp_path))


def test_weights_that_need_pickle_are_refused(tmp_path, tiny_llama):
    import shutil

    import torch
    from safetensors.torch import load_file

    folder = tmp_path / "pickled"
    shutil.copytree(tiny_llama, folder)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="safetensors"):
        load_generator(str(folder))


def test_importing_the_models_loads_no_heavy_library():
    names = ["torch", "transformers", "sentence_transformers", "gguf", "huggingface_hub"]
    code = f"import sys, ragkit.models.loading; print([n for n in {names} if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


# Scores


def test_lines_that_share_a_prompt_are_scored_as_each_would_be_alone(gemma):
    import torch

    lines = ["the cat sat", "the dog ran to the house"]
    (scores,) = gemma.score_all([PROMPT], [PROMPT], [lines])
    prompt = gemma._encode(PROMPT)
    follow = [gemma._tokenizer(f" {line}\n", add_special_tokens=False)["input_ids"] for line in lines]
    known = {*allowed_tokens(gemma._tokenizer, PROMPT), *gemma._ends, *(token for row in follow for token in row)}
    vocabulary = sorted(known)
    for score, tokens in zip(scores, follow, strict=True):
        with torch.no_grad():
            logits = gemma._model(torch.tensor([prompt + tokens])).logits[0, len(prompt) - 1 : -1, vocabulary]
        wanted = torch.tensor([vocabulary.index(token) for token in tokens])
        alone = logits.float().log_softmax(1).gather(1, wanted[:, None]).mean()
        assert score == pytest.approx(float(alone), abs=1e-4)
    assert gemma.score_all([PROMPT], [PROMPT], [[]]) == [[]]


# The shipped writer


@pytest.fixture(scope="module")
def shipped() -> TransformersGenerator:
    return load_generator()


SHOTS = "Text: Rome is in Italy.\nQuestion: Where is Rome?\nAnswer: Italy\n\nText: The treaty was signed in Vienna in "
SHOTS += "1815.\nQuestion: Where was it signed?\nAnswer:"


@pytest.mark.model
def test_the_shipped_writer_puts_a_text_into_one_sentence_that_holds_the_hint(shipped):
    text = (
        "The bridge, designed by Anna Keller of Graz, was opened by the king on 14 June 1998, after ten years of work."
    )
    asked = {"Who designed the bridge?": "Anna Keller", "When was the bridge opened?": "14 June 1998"}
    prompts = [direct_prompt(question, text, hint) for question, hint in asked.items()]
    words = [f"{text} {question}" for question in asked]
    lines = shipped.write_all(prompts, words, max_tokens=32, instead=NOT_HERE)
    assert "Anna Keller" in lines[0].text
    assert "14 June 1998" in lines[1].text
    assert shipped.name == "google/gemma-3-270m@a5fd3b62230a"


@pytest.mark.model
def test_the_shipped_writer_agrees_with_transformers(shipped):
    assert "".join(shipped.stream(SHOTS, max_tokens=6)) == greedy(shipped, SHOTS, 6)
