"""Prompts to text by a model server that speaks the OpenAI protocol: vLLM, llama.cpp's server, Ollama.

A rendered chat goes to `/chat/completions`, any other prompt to `/completions`, both streamed. Whatever a server does
wrong becomes a `ServerError`. Called by `loading`.
"""

import json
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any

import httpx

from ragkit.errors import InputError, ServerError
from ragkit.models.generation import ChatPrompt, Written
from ragkit.models.pieces import cut_at_stop, readable

SERVER_PREFIX = "openai:"

_CONNECT_TIMEOUT_S = 5.0
_READ_TIMEOUT_S = 60.0
_ANSWER_TIMEOUT_S = 600.0
# A server may ignore max_tokens: more characters a token than this is garbage. One event line may hold this much.
_MAX_CHARACTERS_A_TOKEN = 64
_MAX_LINE_CHARACTERS = 1_000_000


class ServerGenerator:
    """A model behind an HTTP server; the key comes from RAGKIT_API_KEY or OPENAI_API_KEY, if set."""

    is_chat = True

    def __init__(
        self,
        url: str,
        model: str,
        *,
        connect_timeout_s: float = _CONNECT_TIMEOUT_S,
        read_timeout_s: float = _READ_TIMEOUT_S,
    ) -> None:
        self.name = f"{SERVER_PREFIX}{url}#{model}"
        self._url = url.rstrip("/")
        self._model = model
        self._timeouts = httpx.Timeout(read_timeout_s, connect=connect_timeout_s)

    @classmethod
    def from_name(cls, name: str) -> "ServerGenerator":
        """The server and model that `openai:http://host:port/v1#model` names.

        Raises:
            InputError: It does not have that form.
        """
        url, _, model = name.removeprefix(SERVER_PREFIX).partition("#")
        if not url.startswith(("http://", "https://")) or not model:
            raise InputError(f"{name!r} does not name a model server. Write openai:http://host:port/v1#model")
        return cls(url, model)

    def render_chat(self, system: str, user: str) -> str:
        """The two messages; the server puts them into the model's own format."""
        return ChatPrompt(f"{system}\n\n{user}", system, user)

    def stream(
        self,
        prompt: str,
        *,
        max_tokens: int,
        stop: Sequence[str] = (),
        words: str | None = None,  # noqa: ARG002 - the protocol of servers has no such wish
    ) -> Iterator[str]:
        """Greedy continuation of a prompt, piece by piece; a server cannot be held to `words`.

        Raises:
            ServerError: The server is down, too slow, refuses, or answers something else than the protocol says.
        """
        body: dict[str, Any] = {"model": self._model, "max_tokens": max_tokens, "temperature": 0, "stream": True}
        if stop:
            body["stop"] = list(stop)[:4]  # the protocol allows four; all are cut here anyway
        if isinstance(prompt, ChatPrompt):
            said = {"system": prompt.system, "user": prompt.user}
            messages = [{"role": role, "content": readable(content)} for role, content in said.items()]
            pieces = self._pieces("/chat/completions", body | {"messages": messages})
        else:
            pieces = self._pieces("/completions", body | {"prompt": readable(prompt)})
        yield from cut_at_stop(self._bounded(pieces, max_tokens * _MAX_CHARACTERS_A_TOKEN), stop)

    def write_all(
        self,
        prompts: Sequence[str],
        words: Sequence[str],  # noqa: ARG002 - as in `stream`
        *,
        max_tokens: int,
        instead: str,  # noqa: ARG002 - the protocol has no reliable way to ask
    ) -> list[Written]:
        """One line after each prompt, one after the other; raises what `stream` does."""
        return [Written("".join(self.stream(p, max_tokens=max_tokens, stop=["\n"])).strip()) for p in prompts]

    def score_all(
        self,
        prompts: Sequence[str],  # noqa: ARG002 - the protocol tells no likelihoods of given texts
        words: Sequence[str],  # noqa: ARG002
        lines: Sequence[Sequence[str]],
    ) -> list[list[float]]:
        """0 for every line."""
        return [[0.0] * len(given) for given in lines]

    def _bounded(self, pieces: Iterator[str], characters: int) -> Iterator[str]:
        for piece in pieces:
            characters -= len(piece)
            if characters < 0:
                raise self._error("writes far more than was asked for", "Check that it respects max_tokens")
            yield piece

    def _pieces(self, path: str, body: dict[str, Any]) -> Iterator[str]:
        key = os.environ.get("RAGKIT_API_KEY") or os.environ.get("OPENAI_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            with (
                httpx.Client(timeout=self._timeouts, headers=headers) as client,
                client.stream("POST", self._url + path, json=body) as response,
            ):
                self._check_status(response)
                yield from self._events(response)
        except httpx.ConnectError as error:
            raise self._error(f"cannot be reached ({error})", "Start it, or check host and port") from error
        except httpx.TimeoutException as error:
            cure = "Try again when it is less busy, or use a smaller model"
            raise self._error(f"did not answer in time ({type(error).__name__})", cure) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._error(f"broke off the answer ({error})", "Look into its log") from error

    def _check_status(self, response: httpx.Response) -> None:
        if response.status_code == httpx.codes.OK:
            return
        said = b""
        for block in response.iter_bytes():
            said += block
            if len(said) > 2000:
                break
        told = " ".join(said[:200].decode("utf-8", "replace").split())
        key, name = "Set RAGKIT_API_KEY", f"Check the path and the model name {self._model!r}"
        cure = {401: key, 403: key, 404: name}.get(response.status_code, "Look into its log")
        raise self._error(f"answered HTTP {response.status_code}: {told or 'nothing more'}", cure)

    def _events(self, response: httpx.Response) -> Iterator[str]:
        """The text in each `data:` line of an event stream, up to `[DONE]`."""
        seen = False
        for line in _lines(response):
            if line is None:
                raise self._garbage("a line without end")
            if not line.startswith("data:"):
                if line and not line.startswith((":", "event:", "id:", "retry:")):
                    raise self._garbage(line)
                continue
            seen = True
            content = line.removeprefix("data:").strip()
            if content == "[DONE]":
                return
            yield self._text(content)
        if not seen:
            raise self._garbage("an empty body")

    def _text(self, event: str) -> str:
        """The text of one event; empty for events that only carry a role, a reason to finish or token counts."""
        try:
            content = json.loads(event)
            if "error" in content:
                raise self._error(f"reports: {str(content['error'])[:200]}", "Look into its log")
            choices = content["choices"]
            if not choices:
                return ""
            text = choices[0]["delta"].get("content") if "delta" in choices[0] else choices[0]["text"]
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise self._garbage(event) from error
        if text is not None and not isinstance(text, str):
            raise self._garbage(event)
        return text or ""

    def _garbage(self, said: str) -> ServerError:
        return self._error(
            f"answered something that is not the OpenAI protocol: {said[:80]!r}", "Check that the URL ends in /v1"
        )

    def _error(self, what: str, cure: str) -> ServerError:
        return ServerError(f"The model server {self._url} {what}. {cure}")


def _lines(response: httpx.Response) -> Iterator[str | None]:
    """Lines of the body; None, and no more, for one too long to keep.

    Raises:
        httpx.ReadTimeout: The whole takes too long, though something arrives now and then.
    """
    rest = ""
    give_up = time.monotonic() + _ANSWER_TIMEOUT_S
    for text in response.iter_text():
        if time.monotonic() > give_up:
            raise httpx.ReadTimeout("the answer does not end")
        *whole, rest = (rest + text).split("\n")
        if len(rest) > _MAX_LINE_CHARACTERS:
            yield None
            return
        yield from (line.rstrip("\r") for line in whole)
    if rest:
        yield rest.rstrip("\r")
