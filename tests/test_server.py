"""Model servers: what is asked of them, and every way in which they fail."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ragkit.errors import InputError, ServerError
from ragkit.models.loading import load_generator
from ragkit.models.server import ServerGenerator

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A model server that does as a test says; keeps what it was asked."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict, str | None]] = []
        self.answer: Answer = send(b"")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.requests.append((self.path, body, self.headers.get("Authorization")))
                outer.answer(self)

            def log_message(self, *arguments: object) -> None:
                return

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


def send(body: bytes, status: int = 200) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def events(*contents: object) -> Answer:
    lines = [f"data: {json.dumps(content)}\n\n" for content in contents]
    return send("".join([": hello\n\n", *lines, "data: [DONE]\n\n"]).encode())


def texts(*pieces: str) -> Answer:
    return events(*({"choices": [{"text": piece}]} for piece in pieces))


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


def ask(server: Server, prompt: str = "p", **options: object) -> str:
    generator = ServerGenerator(server.url, "m", read_timeout_s=0.3)
    return "".join(generator.stream(prompt, **({"max_tokens": 9} | options)))


def test_a_text_is_continued_by_completions(server, monkeypatch):
    monkeypatch.delenv("RAGKIT_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    server.answer = texts("Par", "is é", "!")
    assert ask(server, "Where?\ud800") == "Paris é!"
    ((path, body, key),) = server.requests
    assert (path, key) == ("/v1/completions", None)
    assert body == {"model": "m", "prompt": "Where?\ufffd", "max_tokens": 9, "temperature": 0, "stream": True}


def test_a_chat_is_sent_as_messages(server):
    server.answer = events(
        {"choices": [{"delta": {"role": "assistant"}}]},
        {"choices": [{"delta": {"content": "Hi"}}]},
        {"choices": [{"delta": {"content": None}}]},
        {"choices": []},
    )
    generator = ServerGenerator(server.url, "m")
    assert "".join(generator.stream(generator.render_chat("be brief", "who?"), max_tokens=9)) == "Hi"
    path, body, _ = server.requests[0]
    assert path == "/v1/chat/completions"
    assert body["messages"] == [{"role": "system", "content": "be brief"}, {"role": "user", "content": "who?"}]


def test_stop_strings_are_sent_and_also_cut_here(server):
    server.answer = texts("one\n", "\ntwo")
    assert ask(server, stop=["\n\n"]) == "one"
    assert server.requests[0][1]["stop"] == ["\n\n"]


def test_the_key_of_the_environment_is_sent(server, monkeypatch):
    monkeypatch.setenv("RAGKIT_API_KEY", "k1")
    server.answer = texts("x")
    ask(server)
    assert server.requests[0][2] == "Bearer k1"


def test_a_name_gives_url_and_model():
    generator = load_generator("openai:http://127.0.0.1:8000/v1/#qwen")
    assert generator.name == "openai:http://127.0.0.1:8000/v1/#qwen"
    assert generator.is_chat


@pytest.mark.parametrize("name", ["openai:127.0.0.1/v1#m", "openai:http://host/v1", "openai:", "openai:ftp://x#m"])
def test_a_name_of_another_form_says_what_it_should_be(name):
    with pytest.raises(InputError, match="Write openai:http://host:port/v1#model"):
        load_generator(name)


def test_a_server_that_is_down_says_so():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    with pytest.raises(ServerError, match=r"cannot be reached.*Start it, or check host and port"):
        list(ServerGenerator(f"http://127.0.0.1:{port}/v1", "m").stream("p", max_tokens=1))


def test_a_server_that_is_too_slow_says_so(server):
    server.answer = lambda handler: time.sleep(0.6)
    with pytest.raises(ServerError, match="did not answer in time"):
        ask(server)


def test_a_server_that_stalls_half_way_says_so(server):
    def stall(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b'data: {"choices": [{"text": "half"}]}\n\n')
        time.sleep(0.6)

    server.answer = stall
    with pytest.raises(ServerError, match="did not answer in time"):
        ask(server)


def test_an_answer_that_breaks_off_says_so(server):
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"data: ")

    server.answer = break_off
    with pytest.raises(ServerError, match="broke off the answer"):
        ask(server)


@pytest.mark.parametrize(
    ("status", "cure"),
    [(500, "Look into its log"), (401, "Set RAGKIT_API_KEY"), (404, "model name 'm'"), (302, "Look into its log")],
)
def test_an_http_error_names_the_status_the_words_and_the_cure(server, status, cure):
    server.answer = send(b"out of\n memory", status)
    with pytest.raises(ServerError, match=f"answered HTTP {status}: out of memory.*{cure}"):
        ask(server)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>login</html>",
        b"data: {not json}\n\n",
        b'data: {"choices": [{"words": "x"}]}\n\n',
        b'data: {"choices": [{"text": 5}]}\n\n',
        b'data: {"choices": 7}\n\n',
        b"data: [1]\n\n",
        b"data: 5\n\n",
        b'{"choices": [{"text": "not a stream"}]}',
        b"\xff\xfe\x00garbage",
        b"",
        b"data: " + b"x" * 1_100_000,
    ],
    ids=["html", "no-json", "no-text", "number", "no-list", "list", "scalar", "no-stream", "bytes", "empty", "endless"],
)
def test_garbage_is_called_garbage(server, body):
    server.answer = send(body)
    with pytest.raises(ServerError, match=r"not the OpenAI protocol.*ends in /v1"):
        ask(server)


def test_an_error_inside_the_stream_is_reported(server):
    server.answer = events({"error": {"message": "context too long"}})
    with pytest.raises(ServerError, match=r"reports: .*context too long"):
        ask(server)


def test_a_server_that_never_stops_writing_is_stopped(server):
    server.answer = texts(*["word " * 50] * 10)
    with pytest.raises(ServerError, match="far more than was asked for"):
        ask(server, max_tokens=2)
