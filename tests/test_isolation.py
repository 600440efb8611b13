import hashlib
import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers import read_document
from ragkit.readers.extraction import Extracted
from ragkit.readers.isolation.child import worker_command
from ragkit.readers.isolation.reader import DocumentReader
from ragkit.readers.isolation.wire import (
    MAX_BODY_BYTES,
    MAX_HEAD_BYTES,
    Limits,
    Message,
    decode_reply,
    encode_extracted,
)
from ragkit.readers.opening import ReadOptions
from ragkit.readers.spans import Span
from ragkit.records import Fact

OPTIONS = ReadOptions(max_bytes=64 * 1024 * 1024)
LIMITS = Limits(memory_bytes=2 * 1024**3, timeout_s=60, may_write=False)

CHILD = """
import os, signal, struct, subprocess, sys
def receive():
    head, body = struct.unpack(">QQ", sys.stdin.buffer.read(16))
    return sys.stdin.buffer.read(head), sys.stdin.buffer.read(body)
def reply(head, body=b"", lengths=None):
    sys.stdout.buffer.write(struct.pack(">QQ", *(lengths or (len(head), len(body)))) + head + body)
    sys.stdout.buffer.flush()
def say(text):
    reply(b'[0,%d,"prose",null,""]\\n' % len(text), str(text).encode())
"""


def fake(code):
    """A reader whose child runs this instead of the worker."""
    return DocumentReader(OPTIONS, timeout_s=20, _command=[sys.executable, "-c", CHILD + code])


def planted(body, limits=LIMITS):
    """A reader whose child is the worker, but for what it finds in a file: that is the text that `body` returns."""
    plant = f"""
import os, sys
from dataclasses import replace
from ragkit.readers.formats import FORMATS
from ragkit.readers.isolation.child import worker_command
from ragkit.readers.extraction import Builder
def read(source):
    builder = Builder()
    builder.add(found(source.name, source.data))
    return builder.extracted()
def found(name, data):
    {body}
FORMATS[".md"] = FORMATS[".docx"] = replace(FORMATS[".md"], read=read)
"""
    *before, start, package, root, argument = worker_command(limits)
    command = [*before, start.replace("main(sys", f"{plant}main(sys"), package, root, argument]
    return DocumentReader(OPTIONS, limits.timeout_s, limits.memory_bytes, _command=command)


def written(tmp_path, content="Some words.", name="a.md"):
    file = tmp_path / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def is_over(pid):
    """Whether a process ends within some seconds."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


@pytest.fixture(scope="module")
def reader():
    with DocumentReader(OPTIONS) as opened:
        yield opened


CAFE = "Café – “quoted” text costs £5."


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param(
            "a.txt", "One.\n\nTwo é😀", [("One.", "prose", (), None), ("Two é😀", "prose", (), None)], id="text"
        ),
        pytest.param("a.log", "One.\fTwo.", [("One.", "prose", (), 1), ("Two.", "prose", (), 2)], id="pages"),
        pytest.param("a.md", CAFE.encode("cp1252"), [(CAFE, "prose", (), None)], id="encoding"),
        pytest.param(
            "a.MD",
            "# Tea\n\nGreen.\n\n- one\n",
            [("Tea", "heading", (), None), ("Green.", "prose", ("Tea",), None), ("one", "list", ("Tea",), None)],
            id="markdown",
        ),
    ],
)
def test_the_worker_finds_what_is_in_a_file(reader, tmp_path, name, content, expected):
    file = written(tmp_path, content, name)

    read = reader.read(file, f"folder/{name}")

    assert [(p.text, p.kind, p.headings, p.page) for p in read.document.paragraphs] == expected
    assert [p.number for p in read.document.paragraphs] == list(range(1, len(expected) + 1))
    assert all(read.document.text[p.start : p.end] == p.text for p in read.document.paragraphs)
    assert read.document.ref.path == f"folder/{name}"
    assert read.document.ref.id == f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    assert read.warnings == ()
    assert read.document == read_document(file, f"folder/{name}", OPTIONS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param("a.md", b"", "a.md is empty: there is no text in it. Add some or leave it out.", id="empty"),
        pytest.param("a.md", b"%PDF-1.7 ...", "a.md looks binary: it begins like a PDF file.", id="pdf"),
        pytest.param("a.xyz", b"x", "a.xyz cannot be read: ragkit does not know .xyz files.", id="suffix"),
        pytest.param("a\nb.md", b"", r"a\nb.md is empty", id="name-with-a-newline"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_and_the_next_one_is_read(reader, tmp_path, name, content, message):
    file = written(tmp_path, content, name)
    with pytest.raises(DocumentError) as caught:
        reader.read(file, name)
    with pytest.raises(DocumentError) as caught_here:
        read_document(file, name, OPTIONS)

    assert str(caught.value).startswith(message)
    assert str(caught.value) == str(caught_here.value)
    assert reader.read(written(tmp_path), "a.md").document.text == "Some words."


def test_plain_text_needs_no_child(tmp_path):
    with DocumentReader(OPTIONS, _command=["no such program"]) as reader:
        assert reader.read(written(tmp_path, name="a.txt"), "a.txt").document.text == "Some words."


def test_what_is_no_file_or_too_large_never_reaches_the_child(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    written(tmp_path, "12345", "five.md")
    messages = {
        ".": "is not a file. Give a file or a folder of files.",
        "pipe.md": "is not a file. Give a file or a folder of files.",
        "none.md": "cannot be read: No such file or directory. Check that it is there and readable.",
        "five.md": "is too large: 5 bytes, and the limit is 4. Split it into parts or leave it out.",
    }
    with DocumentReader(ReadOptions(max_bytes=4), _command=["no such program"]) as reader:
        for name, message in messages.items():
            with pytest.raises(DocumentError) as caught:
                reader.read(tmp_path / name, name)
            assert str(caught.value) == f"{name} {message}"
        with pytest.raises(DocumentError, match=r"a.md cannot be read: the reader process did not start \(.*No such"):
            reader.read(written(tmp_path, "four"), "a.md")


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        pytest.param("return {}['word/document.xml']", "KeyError: 'word/document.xml'", id="library"),
        pytest.param("return found(name, data)", "RecursionError: maximum recursion depth exceeded", id="recursion"),
        pytest.param(
            r"raise ValueError('a\n\x1b[2Jb' + 'x' * 10**6)", r"ValueError: a \x1b[2Jbxxx", id="long-and-ugly"
        ),
    ],
)
def test_whatever_a_reader_stumbles_over_belongs_to_that_file(tmp_path, raised, said):
    with planted(raised) as reader, pytest.raises(DocumentError) as caught:
        reader.read(written(tmp_path, "bad", "a.b.docx"), "a.b.docx")

    message = str(caught.value)
    assert message.startswith(f"a.b.docx cannot be read: its markdown reader failed ({said}")
    assert message.isprintable()
    assert len(message) < 400


def test_one_child_reads_many_files_and_goes_on_after_a_failure(tmp_path):
    with planted("return str(os.getpid()) if data == b'good' else {}['x']") as reader:
        good, bad = written(tmp_path, "good", "good.md"), written(tmp_path, "bad", "bad.md")
        first = reader.read(good, "good.md").document.text
        with pytest.raises(DocumentError):
            reader.read(bad, "bad.md")

        assert reader.read(good, "good.md").document.text == first != str(os.getpid())


def test_a_file_that_needs_too_much_memory_is_refused_and_the_next_one_is_read(tmp_path):
    with DocumentReader(OPTIONS, memory_bytes=64 * 1024 * 1024) as reader:
        large = written(tmp_path, "A line of text that ends here.\n" * 1_000_000)
        with pytest.raises(DocumentError) as caught:
            reader.read(large, "a.md")

        limit = "a.md needs more memory than the limit of 0.0625 GB. Split it into parts or leave it out."
        assert str(caught.value) == limit
        assert reader.read(written(tmp_path), "a.md").document.text == "Some words."


def test_the_worker_has_no_files_no_keys_no_proxies_and_no_heavy_libraries(tmp_path, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://x")
    monkeypatch.setenv("SOME_API_KEY", "x")
    body = """import json, resource
    try:
        open(data.decode(), "w").write("x" * 100_000)
    except OSError as exc:
        error = exc.strerror
    limits = {name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1] for name in ("CORE", "FSIZE", "NOFILE")}
    opened = os.listdir("/proc/self/fd")
    return json.dumps([error, limits, list(os.environ), opened, list(sys.modules), sys.stdin.read()])"""
    with planted(body) as reader:
        found = json.loads(reader.read(written(tmp_path, str(tmp_path / "new")), "a.md").document.text)

    error, limits, variables, descriptors, modules, stdin = found
    assert error == "File too large"
    assert (tmp_path / "new").stat().st_size == 0
    assert limits == {"CORE": 0, "FSIZE": 0, "NOFILE": 64}
    assert not {"HTTPS_PROXY", "SOME_API_KEY"} & set(variables)
    assert len(descriptors) <= 6  # stdin, stdout, stderr, two pipes, and the one that lists them
    heavy = {"torch", "transformers", "sentence_transformers", "faiss", "numpy", "pydantic", "httpx", "ragkit.kit"}
    assert not heavy & set(modules)
    assert stdin == ""


def test_what_a_library_prints_gets_neither_into_the_reply_nor_onto_the_terminal(tmp_path, capfd):
    with planted("print('noise'); os.system('echo noise'); os.write(2, b'x' * 10**6); return 'words'") as reader:
        assert reader.read(written(tmp_path), "a.md").document.text == "words"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("receive(); os.kill(os.getpid(), signal.SIGSEGV)", "ended (signal 11)", id="segfault"),
        pytest.param("receive(); os.kill(os.getpid(), signal.SIGKILL)", "ended (signal 9)", id="killed"),
        pytest.param(
            "receive(); os.close(1); os.close(2); signal.pause()", "ended (it went on without its pipes)", id="deaf"
        ),
        pytest.param("os._exit(0)", "ended (exit status 0)", id="exit-at-once"),
        pytest.param(
            r"receive(); sys.exit('line\nlast \x1b[2J line')",
            r"ended (exit status 1: last \x1b[2J line)",
            id="last-words",
        ),
        pytest.param(
            "receive(); reply(b'abc', lengths=(10, 10)); os._exit(0)", "ended (exit status 0)", id="cut-short"
        ),
        pytest.param("receive(); print('Hello, this is no reply')", "answered what is no answer", id="garbage"),
        pytest.param(f"reply(b'', lengths=({MAX_HEAD_BYTES + 1}, 0))", "answered what is no answer", id="long-head"),
        pytest.param(f"reply(b'', lengths=(0, {MAX_BODY_BYTES + 1}))", "answered what is no answer", id="long-body"),
        pytest.param("reply(b'', lengths=(2**64 - 1, 2**64 - 1))", "answered what is no answer", id="absurd-length"),
        pytest.param("receive(); reply(b'[' * 10**6)", "answered what is no answer", id="deep"),
    ],
)
def test_a_child_that_dies_or_lies_costs_one_file(tmp_path, code, said):
    with fake(code) as reader:
        with pytest.raises(DocumentError) as caught:
            reader.read(written(tmp_path), "a.md")

        message = str(caught.value)
        assert message.startswith("a.md cannot be read: the reader process ")
        assert said in message
        assert message.endswith(". Convert it or leave it out")


def test_a_child_that_has_read_enough_is_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr("ragkit.readers.isolation.reader.FILES_PER_CHILD", 2)
    with fake("while receive()[0]:\n    say(str(os.getpid()))") as reader:
        pids = [reader.read(written(tmp_path), "a.md").document.text for _ in range(5)]

    assert [pids.index(pid) for pid in pids] == [0, 0, 2, 2, 4]


def test_a_dead_child_is_replaced(tmp_path):
    code = "while True:\n    head, body = receive()\n    say(str(os.getpid())) if body == b'good' else os._exit(3)"
    good, bad = written(tmp_path, "good", "good.md"), written(tmp_path, "bad", "bad.md")
    with fake(code) as reader:
        first = int(reader.read(good, "good.md").document.text)
        with pytest.raises(DocumentError, match=r"bad.md .*\(exit status 3\)"):
            reader.read(bad, "bad.md")
        second = int(reader.read(good, "good.md").document.text)
        os.kill(second, signal.SIGKILL)
        os.waitid(os.P_PID, second, os.WEXITED | os.WNOWAIT)
        third = int(reader.read(good, "good.md").document.text)

        assert len({first, second, third}) == 3


@pytest.mark.parametrize("before", ["receive()", "pass"], ids=["after-it-was-asked", "without-listening"])
def test_a_child_that_hangs_is_ended_with_those_it_started(tmp_path, before):
    hangs = "import signal; signal.pause()"
    code = f"""
helper = subprocess.Popen([sys.executable, "-c", {hangs!r}])
open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{helper.pid}}")
{before}
{hangs}
"""
    command = [sys.executable, "-c", CHILD + code]
    with DocumentReader(OPTIONS, timeout_s=2, _command=command) as reader:
        with pytest.raises(DocumentError) as caught:
            reader.read(written(tmp_path, "x" * 1_000_000), "a.md")

        limit = (
            "a.md took longer than 2 s to read and was given up. Leave it out, or raise read_timeout_s in the settings"
        )
        assert str(caught.value) == limit
        assert all(is_over(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_the_worker_may_compute_no_longer_than_it_is_allowed(tmp_path):
    limits = Limits(memory_bytes=2**30, timeout_s=0.5, may_write=False)
    with planted("while True: pass", limits) as reader, pytest.raises(DocumentError, match=r"took longer than 0\.5 s"):
        reader.read(written(tmp_path), "a.md")


def test_ocr_is_given_more_time(tmp_path):
    options = ReadOptions(max_bytes=100, use_ocr=True)
    reader = DocumentReader(options, timeout_s=0.02, _command=[sys.executable, "-c", CHILD + "signal.pause()"])
    with reader, pytest.raises(DocumentError, match=r"a\.md took longer than 0\.2 s"):
        reader.read(written(tmp_path), "a.md")


def test_the_worker_ends_itself_if_nobody_else_does(tmp_path):
    plant = "import signal; from ragkit.readers.isolation import worker; worker.GRACE_S = 0; "
    plant += "worker._set_clock(0.1); signal.pause()"
    with planted(plant) as reader, pytest.raises(DocumentError, match=r"ended \(signal 14\)"):
        reader.read(written(tmp_path), "a.md")


def test_ctrl_c_ends_the_child_at_once(tmp_path):
    code = f"""
open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
receive()
os.kill(os.getppid(), signal.SIGINT)
signal.pause()
"""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    try:
        with fake(code) as reader:
            with pytest.raises(KeyboardInterrupt):
                reader.read(written(tmp_path), "a.md")
            assert is_over(int((tmp_path / "pid").read_text()))
    finally:
        signal.signal(signal.SIGINT, before)


def test_closing_leaves_no_process_whether_or_not_it_wants_to_end(tmp_path):
    for reader in (planted("return str(os.getpid())"), fake("receive(); say(str(os.getpid())); signal.pause()")):
        with reader:
            pid = int(reader.read(written(tmp_path), "a.md").document.text)
            os.kill(pid, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        reader.close()


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "sys.exit()"], ids=["killed", "exit"])
def test_the_worker_ends_with_its_parent(tmp_path, end):
    code = f"""
import os, sys
from pathlib import Path
from ragkit.readers.isolation.reader import DocumentReader
from ragkit.readers.opening import ReadOptions
reader = DocumentReader(ReadOptions(100))
reader.read(Path({str(written(tmp_path))!r}), "a.md")
print(reader._child._process.pid, flush=True)
{end}
"""
    root = str(Path(__file__).parents[1])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=root)

    assert is_over(int(done.stdout))


SPANS = st.lists(
    st.tuples(
        st.text("ab é😀", min_size=1).filter(str.strip),
        st.sampled_from(["prose", "heading", "list", "table", "code"]),
        st.lists(st.text("ab é😀\ud800", max_size=5), max_size=3).map(tuple),
        st.none() | st.integers(1, 1000),
        st.text("ab,é😀", max_size=8),
    ),
    max_size=5,
)


@settings(max_examples=100, deadline=None)
@given(found=SPANS, facts=st.lists(st.text("ab é", max_size=5)), warnings=st.lists(st.text("ab é", max_size=5)))
def test_what_was_found_comes_through_the_pipe_as_it_was(found, facts, warnings):
    text, spans = "", []
    for words, kind, headings, page, place in found:
        spans.append(Span(len(text), len(text) + len(words), kind, headings, page, place))
        text += f"{words}\n\n"
    extracted = Extracted(text, spans, tuple(Fact("author", fact) for fact in facts), tuple(warnings))

    back = decode_reply(encode_extracted(extracted, "a.md"))

    clean = [[heading.replace("\ud800", "\ufffd") for heading in span.headings] for span in spans]
    assert (back.text, back.facts, back.warnings) == (extracted.text, extracted.facts, extracted.warnings)
    assert [list(span.headings) for span in back.spans] == clean
    assert [(s.start, s.end, s.kind, s.page, s.place) for s in back.spans] == [
        (s.start, s.end, s.kind, s.page, s.place) for s in spans
    ]


def test_characters_that_no_text_holds_are_replaced_one_by_one():
    extracted = Extracted("a\ud800b\x00c\x1bd\te\nf\fg", [Span(0, 13, place="x\ud800\x1b")], warnings=("is \x1b[2J",))

    back = decode_reply(encode_extracted(extracted, "a.md"))

    assert back.text == "a\ufffdb c d\te\nf\fg"
    assert back.spans == [Span(0, 13, place="x\ufffd ")]
    assert back.warnings == ("is  [2J",)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('[0,99,"prose",null,""]', id="beyond-the-end"),
        pytest.param('[-1,2,"prose",null,""]', id="backwards"),
        pytest.param('[0,0,"prose",null,""]', id="nothing"),
        pytest.param('[3,1,"prose",null,""]', id="blank"),
        pytest.param('[0,1.0,"prose",null,""]', id="float"),
        pytest.param('[0,1,"poem",null,""]', id="kind"),
        pytest.param('[0,1,["prose"],null,""]', id="kind-that-is-no-string"),
        pytest.param('[0,1,"prose",0,""]', id="page"),
        pytest.param('[0,1,"prose",null,7]', id="place"),
        pytest.param('[0,1,"prose",null]', id="short"),
        pytest.param(f'[{"9" * 5000},1,"prose",null,""]', id="long-number"),
        pytest.param(f'[0,1,"prose",null,"{"x" * 4001}"]', id="long-string"),
        pytest.param('["headings",7]', id="heading"),
        pytest.param(f'["headings"{",1" * 65}]', id="many-headings"),
        pytest.param('["fact","a"]', id="fact"),
        pytest.param('["warning",null]', id="warning"),
        pytest.param('{"failure":"x"}', id="object"),
        pytest.param('["failure","x"] ["failure","x"]', id="two-in-one"),
        pytest.param("7", id="number"),
        pytest.param('["warning","é"]', id="not-ascii"),
        pytest.param('["warning","' + "x" * 5_000_000, id="long-line"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("", id="no-json"),
    ],
)
def test_a_reply_is_not_believed(line):
    with pytest.raises(ValueError):  # noqa: PT011 - of many kinds
        decode_reply(Message(line.encode() + b"\n", b"abc   def"))


def test_a_text_that_is_no_utf_8_is_not_believed():
    with pytest.raises(ValueError, match="utf-8"):
        decode_reply(Message(b"", b"\xff"))


def test_a_failure_is_told_on_one_line_under_the_name_of_the_file(tmp_path):
    reply = r"""receive(); reply(b'["failure","x\\u001b[2J\\ny"]\n')"""
    with fake(reply) as reader, pytest.raises(DocumentError) as caught:
        reader.read(written(tmp_path), "a.md")

    assert str(caught.value) == r"a.md cannot be read: x\x1b[2J\ny"


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["prose", "headings", "fact", "warning", "failure"]),
    lambda inner: st.lists(inner, max_size=6), max_leaves=12,
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(lines=st.lists(JSONS, max_size=4), extra=st.binary(max_size=10), body=st.binary(max_size=20))
def test_any_reply_is_taken_apart_or_refused(lines, extra, body):
    head = b"".join(json.dumps(line).encode() + b"\n" for line in lines) + extra
    try:
        extracted = decode_reply(Message(head, body))
    except (ValueError, DocumentError):
        return
    assert all(0 <= span.start < span.end <= len(extracted.text) for span in extracted.spans)
