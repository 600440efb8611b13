"""Causal language models run by transformers, behind the `Generator` protocol. Made by `loading`."""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from ragkit.errors import ModelError
from ragkit.models.generation import ChatPrompt, Written
from ragkit.models.packing import Packed
from ragkit.models.parallel import continue_all, score_continuations
from ragkit.models.pieces import TOKENIZING, cut_at_stop, readable, text_pieces
from ragkit.models.prefixes import Prefixes
from ragkit.models.vocabulary import allowed_tokens


class TransformersGenerator:
    """A causal language model and its tokenizer, loaded by transformers; greedy, and safe to call from many threads.

    The states of recent prompts are kept, so that prompts with the same beginning cost only their differing ends.
    """

    def __init__(self, model: Any, tokenizer: Any, name: str) -> None:
        self.name = name
        self._model = model
        self._tokenizer = tokenizer
        self._prefixes = Prefixes()
        config = model.config.get_text_config()
        self._context_tokens = int(getattr(config, "max_position_embeddings", 0) or 1 << 20)
        self._window_tokens = int(getattr(config, "sliding_window", None) or self._context_tokens)
        self._ends = _end_tokens(model, tokenizer)

    @property
    def is_chat(self) -> bool:
        """Whether the tokenizer knows how this model's conversations look."""
        return bool(self._tokenizer.chat_template)

    def render_chat(self, system: str, user: str) -> str:
        """The model's own chat format, up to where the answer begins.

        Raises:
            ModelError: The model has no chat format.
        """
        if not self.is_chat:
            raise ModelError(f"The model {self.name} has no chat template. Give it a text to continue instead")
        safe_system, safe_user = self._neutralise(system), self._neutralise(user)
        messages = [{"role": "system", "content": safe_system}, {"role": "user", "content": safe_user}]
        return ChatPrompt(self._render(messages), system, user)

    def stream(
        self, prompt: str, *, max_tokens: int, stop: Sequence[str] = (), words: str | None = None
    ) -> Iterator[str]:
        """Greedy continuation of a prompt, piece by piece; of the given words and function words only, if any are.

        Raises:
            ModelError: The prompt and `max_tokens` together are longer than the model reads.
        """
        tokens = self._encode(prompt)
        self._check_length(len(tokens), max_tokens)
        with TOKENIZING:
            allowed = None if words is None else [*allowed_tokens(self._tokenizer, readable(words)), *self._ends]
        written = self._continue(tokens, max_tokens, allowed)
        yield from cut_at_stop(text_pieces(written, self._decode, tokens[-4:]), stop)

    def write_all(
        self, prompts: Sequence[str], words: Sequence[str], *, max_tokens: int, instead: str
    ) -> list[Written]:
        """One line after each prompt, of the given words and function words only.

        Raises:
            ModelError: A prompt and `max_tokens` together are longer than the model reads.
        """
        import torch

        encoded = [self._encode(prompt) for prompt in prompts]
        for tokens in encoded:
            self._check_length(len(tokens), max_tokens)
        with TOKENIZING:
            nothing = self._tokenizer(f" {instead}", add_special_tokens=False)["input_ids"]
            allowed = [[*allowed_tokens(self._tokenizer, readable(text)), *self._ends, *nothing] for text in words]
            vocabulary = {token for tokens in allowed for token in tokens}
            line_ends = frozenset(token for token in vocabulary if "\n" in self._tokenizer.decode([token]))
        try:
            found = continue_all(self._model, encoded, allowed, (self._ends, line_ends), max_tokens)
        except torch.OutOfMemoryError as error:
            raise self._too_little_memory(sum(map(len, encoded))) from error
        written = []
        for line in found:
            mean = sum(line.log_probabilities) / len(line.log_probabilities) if line.tokens else None
            written.append(Written(self._decode(line.tokens).partition("\n")[0].strip(), mean))
        return written

    def score_all(
        self, prompts: Sequence[str], words: Sequence[str], lines: Sequence[Sequence[str]]
    ) -> list[list[float]]:
        """How likely each line is after its prompt, mean log probability a token among those of the words.

        Raises:
            ModelError: The GPU has too little memory.
        """
        import torch

        likely = list[list[float]]()
        for prompt, text, given in zip(prompts, words, lines, strict=True):
            if not given:
                likely.append([])
                continue
            with TOKENIZING:
                ended = [f" {readable(line)}\n" for line in given]
                tokens = self._tokenizer(ended, add_special_tokens=False, split_special_tokens=True)["input_ids"]
                allowed = [*allowed_tokens(self._tokenizer, readable(text)), *self._ends]
            try:
                likely.append(score_continuations(self._model, Packed(self._encode(prompt), tuple(tokens)), allowed))
            except torch.OutOfMemoryError as error:
                raise self._too_little_memory(sum(map(len, tokens))) from error
        return likely

    def _render(self, messages: list[dict[str, str]]) -> str:
        """Some templates refuse a system message; there the user's message begins with it."""
        from jinja2 import TemplateError

        options: dict[str, Any] = {"tokenize": False, "add_generation_prompt": True}
        try:
            return str(self._tokenizer.apply_chat_template(messages, **options))
        except TemplateError:
            joined = "\n\n".join(message["content"] for message in messages)
            return str(self._tokenizer.apply_chat_template([{"role": "user", "content": joined}], **options))

    def _neutralise(self, text: str) -> str:
        """The text with a space inside whatever the tokenizer would read as a special token."""
        specials = [token for token in self._special_tokens if token in text]
        while specials:
            for token in specials:
                text = text.replace(token, f"{token[0]} {token[1:]}")
            specials = [token for token in self._special_tokens if token in text]
        return text

    @cached_property
    def _special_tokens(self) -> list[str]:
        added = self._tokenizer.added_tokens_decoder.values()
        return [str(token) for token in added if token.special and len(str(token)) > 1]

    def _encode(self, prompt: str) -> list[int]:
        """Token ids of a prompt; only a `ChatPrompt` brings special tokens of its own."""
        chat = isinstance(prompt, ChatPrompt)
        with TOKENIZING:
            encoded = self._tokenizer(readable(prompt), add_special_tokens=not chat, split_special_tokens=not chat)
        tokens: list[int] = encoded["input_ids"]
        return tokens or [self._tokenizer.bos_token_id or self._tokenizer.eos_token_id or 0]

    def _decode(self, tokens: list[int]) -> str:
        with TOKENIZING:
            text = self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return str(text)

    def _check_length(self, tokens: int, max_tokens: int) -> None:
        if tokens + max_tokens > self._context_tokens:
            raise ModelError(
                f"A prompt of {tokens} tokens with {max_tokens} to write is more than the {self._context_tokens} that "
                f"{self.name} reads. Ask for less evidence or use a model with a longer context"
            )

    def _continue(self, tokens: list[int], max_tokens: int, allowed: list[int] | None = None) -> Iterator[int]:
        """The most likely next token (of those allowed), again and again, until one that ends the text."""
        import torch

        rows = None if allowed is None else torch.tensor(allowed, device=self._model.device)
        logits, cache = self._read(tokens)
        logits = logits if rows is None else logits[..., rows]
        for written in range(max_tokens):
            best = int(logits[0, -1].argmax())
            token = best if allowed is None else allowed[best]
            if token in self._ends:
                return
            yield token
            if written + 1 < max_tokens:
                logits = self._next_logits(token, cache, rows)

    def _next_logits(self, token: int, cache: Any, rows: Any) -> Any:
        """Logits after one more token; of the tokens `rows` only, which spares most of a large output layer."""
        import torch

        if rows is None:
            return self._forward([[token]], cache).logits
        with torch.inference_mode():
            ids = torch.tensor([[token]], device=self._model.device)
            output = self._model.get_decoder()(ids, past_key_values=cache, use_cache=True)
            return output.last_hidden_state @ self._model.get_output_embeddings().weight[rows].T

    def _read(self, tokens: list[int]) -> tuple[Any, Any]:
        """Logits after the last token and the cache that holds all of them; a known beginning is not read again."""
        from transformers import DynamicCache

        prefix, shared = self._prefixes.longest(tokens)
        shared = min(shared, len(tokens) - 1)
        config = self._model.config
        cache = prefix.cache(shared, 1, config) if prefix else DynamicCache(config=config)
        logits = self._forward([tokens[shared:] if prefix else tokens], cache).logits
        if len(tokens) < self._window_tokens:
            self._prefixes.keep(tokens, cache)
        return logits, cache

    def _forward(self, tokens: list[list[int]], cache: Any, **options: Any) -> Any:
        import torch

        options = {"past_key_values": cache, "use_cache": True, "logits_to_keep": 1} | options
        try:
            with torch.inference_mode():
                return self._model(torch.tensor(tokens, device=self._model.device), **options)
        except torch.OutOfMemoryError as error:
            raise self._too_little_memory(len(tokens) * len(tokens[0])) from error

    def _too_little_memory(self, tokens: int) -> ModelError:
        return ModelError(
            f"The GPU has too little memory for {self.name} and {tokens} tokens. "
            "Use a smaller model, or hide the GPU: CUDA_VISIBLE_DEVICES="
        )


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    """Every token that ends a text, by the generation settings and by the tokenizer."""
    ends = model.generation_config.eos_token_id
    listed = ends if isinstance(ends, list) else [ends]
    return frozenset(token for token in [*listed, tokenizer.eos_token_id] if token is not None)
