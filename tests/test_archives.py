import gzip
import io
import struct
import tarfile
import time
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ragkit.readers.archives
from ragkit.errors import DocumentError
from ragkit.readers.archives import read_gzip, read_tar, read_zip
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import MAX_DEPTH, MAX_INNER_BYTES, Budget, Extracted, Source
from ragkit.readers.markdown import markdown_spans

READERS = {".gz": read_gzip, ".tgz": read_gzip, ".tar": read_tar, ".zip": read_zip}


def suffix(name: str) -> str:
    return name[name.rfind(".") :].lower()


def read(source: Source) -> Extracted:
    """Reads archives and Markdown, as the table of readers would."""
    if suffix(source.name) in READERS:
        return READERS[suffix(source.name)](source)
    if suffix(source.name) != ".md":
        raise DocumentError(f"{source.name} cannot be read: only Markdown is.")
    text = decode(source.data, source.name)
    return Extracted(text, markdown_spans(text), warnings=("has a blot",) if "blot" in text else ())


def source(name: str, data: bytes) -> Source:
    return Source(name, data, read, is_readable=lambda name: suffix(name) in {*READERS, ".md"})


def unpacked(name: str, data: bytes) -> Extracted:
    found = read(source(name, data))
    for span in found.spans:
        assert 0 <= span.start < span.end <= len(found.text)
    return found


def places(found: Extracted) -> list[tuple[str, str]]:
    return [(span.place, found.text[span.start : span.end]) for span in found.spans]


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=format) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


PACKERS = pytest.mark.parametrize(
    ("suffix", "pack"), [pytest.param("zip", zipped, id="zip"), pytest.param("tar", tarred, id="tar")]
)


@PACKERS
def test_the_files_of_an_archive_are_read_in_natural_order_under_their_names(suffix, pack):
    packed = pack({"b.md": b"B", "notes/a10.md": b"# H\nten", "notes/a2.md": b"two", "x.exe": b"MZ", "dir/": b""})

    found = unpacked(f"a.{suffix}", packed)

    assert places(found) == [("b.md", "B"), ("notes/a2.md", "two"), ("notes/a10.md", "H"), ("notes/a10.md", "ten")]
    assert found.spans[-1].headings == ("H",)
    assert found.warnings == ()


@PACKERS
def test_hidden_files_are_passed_over_and_names_lead_nowhere(suffix, pack):
    packed = pack(
        {
            "__MACOSX/a.md": b"no",
            ".git/a.md": b"no",
            "x/.a.md": b"no",
            "../../up.md": b"up",
            "/etc/root.md": b"root",
            "C:\\dir\\back.md": b"back",
            "new\nline\u202e.md": b"line",
        }
    )

    assert places(unpacked(f"a.{suffix}", packed)) == [
        ("dir/back.md", "back"),
        ("etc/root.md", "root"),
        (r"new\nline\u202e.md", "line"),
        ("up.md", "up"),
    ]


@PACKERS
def test_what_is_wrong_with_one_file_is_a_warning(suffix, pack):
    found = unpacked(f"a.{suffix}", pack({"a.md": b"fine", "b.md": b"\x7fELF", "c.md": b" ", "d.md": b"blot"}))

    assert [place for place, _ in places(found)] == ["a.md", "d.md"]
    assert [warning.partition(":")[0] for warning in found.warnings] == [
        "holds d.md, which has a blot",
        "holds b.md, which looks binary",
        "holds c.md, in which there is no text",
    ]


def test_a_file_without_a_name_is_passed_over():
    packed = zipped({"a.md": b"A", "b": b"B"}, zipfile.ZIP_STORED)
    nameless = bytearray(packed)
    entry = nameless.rindex(b"PK\x01\x02")
    nameless[entry + 28 : entry + 30] = b"\0\0"  # its name is now of length zero, and the extra field one longer
    nameless[entry + 32 : entry + 34] = b"\x01\0"

    assert places(unpacked("a.zip", bytes(nameless))) == [("a.md", "A")]


def test_of_many_unreadable_files_the_first_are_named():
    found = unpacked("a.zip", zipped({"0.md": b"fine", **{f"{number}.md": b"\x7fELF" for number in range(1, 31)}}))

    assert len(found.warnings) == 21
    assert found.warnings[-1] == "holds 10 more files that cannot be read"


@PACKERS
def test_an_archive_without_a_readable_file_is_refused(suffix, pack):
    with pytest.raises(DocumentError, match=rf"^a\.{suffix} holds no file of a kind that ragkit reads\. Unpack"):
        unpacked(f"a.{suffix}", pack({"a.exe": b"x"}))
    with pytest.raises(DocumentError, match=rf"^a\.{suffix} holds a\.md, which looks binary: .* Unpack"):
        unpacked(f"a.{suffix}", pack({"a.md": b"\x7fELF"}))


def test_links_in_a_zip_are_not_followed():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        link = zipfile.ZipInfo("link.md")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("a.md", "A")

    assert places(unpacked("a.zip", file.getvalue())) == [("a.md", "A")]


def test_links_and_devices_in_a_tar_are_not_followed():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"{ord(kind)}.md")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("a.md")
        info.size = 1
        archive.addfile(info, io.BytesIO(b"A"))

    assert places(unpacked("a.tar", file.getvalue())) == [("a.md", "A")]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_in_a_tar_are_read_whole(form):
    name = "/".join(["folder"] * 20) + "/größe.md"

    assert places(unpacked("a.tar", tarred({name: b"A", "z.md": b"Z"}, form))) == [(name, "A"), ("z.md", "Z")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_files_with_one_name_the_later_counts():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.md", "old")
        archive.writestr("a.md", "new")

    assert places(unpacked("a.zip", file.getvalue())) == [("a.md", "new")]
    assert places(unpacked("a.tar", tarred({"a.md": b"old"})[:1024] + tarred({"a.md": b"new"}))) == [("a.md", "new")]


def test_a_name_in_utf_8_is_read_even_if_the_zip_does_not_say_so():
    flagged = zipped({"größe.md": b"A"}, zipfile.ZIP_STORED)
    unflagged = flagged.replace(b"\x14\0\0\x08", b"\x14\0\0\0")  # both headers: version 20, then the flags

    assert unflagged != flagged
    assert places(unpacked("a.zip", flagged)) == places(unpacked("a.zip", unflagged)) == [("größe.md", "A")]


def test_an_encrypted_file_is_a_warning():
    packed = zipped({"a.md": b"A", "b.md": b"B"}, zipfile.ZIP_STORED)
    entry = packed.rindex(b"PK\x01\x02")

    found = unpacked("a.zip", packed[: entry + 8] + b"\x01\0" + packed[entry + 10 :])

    assert places(found) == [("a.md", "A")]
    assert found.warnings == ("holds b.md, which is encrypted. Unpack it with its password and index the folder.",)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=["bzip2", "lzma"])
def test_an_unusual_method_is_not_unpacked(method):
    with pytest.raises(DocumentError, match=r"a\.zip holds a\.md, which is packed by an unusual method\."):
        unpacked("a.zip", zipped({"a.md": b"A"}, method))


def test_archives_in_archives_are_read_up_to_a_depth():
    assert places(unpacked("a.zip", zipped({"b.zip": zipped({"c.md": b"C"})}))) == [("b.zip, c.md", "C")]
    packed = zipped({"a.md": b"A"})
    for _ in range(MAX_DEPTH):
        packed = zipped({"b.zip": packed})
    with pytest.raises(DocumentError, match=f"lies {MAX_DEPTH + 1} files deep"):
        unpacked("a.zip", packed)


def test_a_zip_bomb_is_refused(monkeypatch):
    monkeypatch.setattr(ragkit.readers.archives, "MAX_MEMBER_BYTES", 1_000_000)
    with pytest.raises(DocumentError, match=r"holds a\.md, which is too large: it unpacks to more than 1,000,000"):
        unpacked("a.zip", zipped({"a.md": b"a" * 2_000_000}))


def test_many_middling_files_are_a_bomb_too():
    packed = zipped({f"{number}.md": b"a" * 500_000 for number in range(3)})
    with pytest.raises(DocumentError, match=rf"^a\.zip unpacks to more than {MAX_INNER_BYTES:,} bytes"):
        read(replace(source("a.zip", packed), budget=Budget(bytes=1_200_000)))


def test_a_budget_spent_inside_ends_the_whole_reading():
    packed = zipped({"a.zip": zipped({f"{number}.md": b"a" for number in range(9)}), "b.md": b"B"})
    with pytest.raises(DocumentError, match=r"^a\.zip unpacks to more"):
        read(replace(source("outer.zip", packed), budget=Budget(files=5)))


def test_thousands_of_files_are_refused_quickly():
    packed = zipped({f"{number}.md": b"a" for number in range(6_000)})
    start = time.perf_counter()
    with pytest.raises(DocumentError, match=r"or 5,000 files"):
        unpacked("a.zip", packed)
    with pytest.raises(DocumentError, match=r"more than 50,000 files\. Unpack"):
        unpacked("a.zip", packed + b"PK\x01\x02" * 50_000)
    assert time.perf_counter() - start < 20


def test_a_file_that_lies_about_its_size_gives_no_more_than_it_says():
    packed = bytearray(zipped({"a.md": b"a" * 1_000_000}))
    entry = packed.rindex(b"PK\x01\x02")
    packed[entry + 24 : entry + 28] = struct.pack("<I", 10)

    with pytest.raises(DocumentError, match=r"holds a\.md, which is damaged\."):
        unpacked("a.zip", bytes(packed))


def test_overlapping_files_count_each_time():
    packed = zipped({"0.md": b"a" * 400_000}, zipfile.ZIP_DEFLATED)
    entry, end = packed.rindex(b"PK\x01\x02"), packed.rindex(b"PK\x05\x06")
    # The name stands in both headers, so that all entries need the same one; a different path keeps them apart.
    entries = packed[entry:end] * 9
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 9, 9, len(entries), entry, 0)

    assert len(unpacked("a.zip", packed[:entry] + entries + tail).text) == 400_000


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"PK\x03\x04 not really", id="nonsense"),
        pytest.param(zipped({"a.md": b"A"})[:-30], id="cut-off"),
        pytest.param(zipped({"a.md": b"A"}).replace(b"PK\x01\x02", b"PK\x01\x03"), id="broken-directory"),
        pytest.param(b"PK\x05\x06" + b"\0" * 8 + b"\xff" * 10, id="directory-outside"),
    ],
)
def test_a_broken_zip_is_refused(data):
    with pytest.raises(
        DocumentError, match=r"^a\.zip is no zip file or a broken one\. Pack it again or leave it out\."
    ):
        unpacked("a.zip", data)


def test_a_name_that_is_no_utf_8_is_refused():
    packed = zipped({"größe.md": b"A"}).replace("größe".encode(), b"gr\xff\xfe\xff\xfee")
    with pytest.raises(DocumentError, match="no zip file or a broken one"):
        unpacked("a.zip", packed)


def test_a_zip_with_64_bit_sizes_is_read():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive, archive.open("a.md", "w", force_zip64=True) as member:
        member.write(b"A")

    assert places(unpacked("a.zip", file.getvalue())) == [("a.md", "A")]


def test_a_packed_file_is_read_under_its_name_without_gz():
    found = unpacked("docs/a.md.gz", gzip.compress(b"# H\ntext"))

    assert [(span.headings, found.text[span.start : span.end]) for span in found.spans] == [((), "H"), (("H",), "text")]
    assert found.spans[0].place == ""


def test_the_stored_name_counts_where_the_file_name_tells_nothing():
    file = io.BytesIO()
    with gzip.GzipFile("../x/notes.md", "wb", fileobj=file) as packer:
        packer.write(b"text")

    assert unpacked("download.gz", file.getvalue()).text == "text"
    with pytest.raises(DocumentError, match=r"^download cannot be read"):
        unpacked("download.gz", gzip.compress(b"text"))


def test_members_of_a_gzip_file_follow_each_other_and_zeros_may_end_it():
    packed = gzip.compress(b"one ") + gzip.compress(b"") + gzip.compress(b"two")

    assert unpacked("a.md.gz", packed + b"\0" * 100).text == "one two"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(gzip.compress(b"text" * 99)[:-9], "is cut off", id="cut-off"),
        pytest.param(b"", "is cut off", id="empty"),
        pytest.param(gzip.compress(b"text") + b"garbage", "is no gzip file or a broken one", id="garbage-after"),
        pytest.param(
            gzip.compress(b"text") + b"\0\0garbage", "is no gzip file or a broken one", id="zeros-and-garbage"
        ),
        pytest.param(b"text", "is no gzip file or a broken one", id="plain"),
        pytest.param(gzip.compress(b"text")[:-8] + b"\0" * 8, "is no gzip file or a broken one", id="checksum"),
    ],
)
def test_a_broken_gzip_file_is_refused(data, message):
    with pytest.raises(DocumentError, match=rf"^a\.md\.gz {message}"):
        unpacked("a.md.gz", data)


def test_a_gzip_bomb_is_refused_before_it_is_unpacked():
    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(b"a" * 1_000_000) for _ in range(100)) + packer.flush()
    with pytest.raises(DocumentError, match=r"^a\.md\.gz is too large: it unpacks to more than 67,108,864 bytes"):
        unpacked("a.md.gz", packed)
    with pytest.raises(DocumentError, match="is too large"):
        read(replace(source("a.md.gz", gzip.compress(b"a" * 1000)), budget=Budget(bytes=999)))


def test_very_many_gzip_members_are_refused_quickly():
    start = time.perf_counter()
    with pytest.raises(DocumentError, match=r"in more than 10,000 pieces"):
        unpacked("a.md.gz", gzip.compress(b"") * 50_000)
    assert time.perf_counter() - start < 20


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tgz", "A.TGZ"])
def test_a_packed_tar_is_read(name):
    assert places(unpacked(name, gzip.compress(tarred({"x/a.md": b"A"})))) == [("x/a.md", "A")]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"not a tar archive" * 99, "is no tar file or a broken one", id="nonsense"),
        pytest.param(tarred({"a.md": b"A" * 9000})[:5000], "is cut off", id="cut-off"),
        pytest.param(b"", "holds no file of a kind", id="empty"),
        pytest.param(tarred({"a.md": b"A"})[:100], "is no tar file or a broken one", id="half-a-header"),
    ],
)
def test_a_broken_tar_is_refused(data, message):
    with pytest.raises(DocumentError, match=rf"^a\.tar {message}"):
        unpacked("a.tar", data)


BASES = [
    ("a.zip", zipped({"a.md": b"# A\ntext", "ü/b.md": b"B" * 500})),
    ("a.tar", tarred({"a.md": b"# A\ntext", "ü/" * 60 + "b.md": b"B" * 500})),
    ("a.md.gz", gzip.compress(b"# A\ntext")),
]


@settings(max_examples=300, deadline=None)
@given(
    base=st.sampled_from(BASES),
    edits=st.lists(st.tuples(st.integers(0, 20_000), st.binary(min_size=1, max_size=4)), max_size=6),
    cut=st.none() | st.integers(0, 20_000),
)
def test_damaged_archives_are_read_or_refused(base, edits, cut):
    name, whole = base
    data = bytearray(whole)
    for position, replacement in edits:
        at = position % len(data)
        data[at : at + len(replacement)] = replacement
    try:
        unpacked(name, bytes(data[:cut]))
    except DocumentError as exc:
        raised = str(exc)
    else:
        raised = ""
    assert "\n" not in raised
