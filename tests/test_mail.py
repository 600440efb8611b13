import time
from email.message import EmailMessage
from email.mime.application import MIMEApplication
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import SMTP, default

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ragkit.errors import DocumentError
from ragkit.readers.decoding import decode
from ragkit.readers.extraction import Budget, Extracted, Source
from ragkit.readers.mail.messages import read_eml, read_mbox
from ragkit.readers.mail.text import stretches
from ragkit.readers.markdown import markdown_spans

PLACE = "mail of 2026-05-02 from Ann Lee <ann@example.org>"
HEAD = "From: Ann Lee <ann@example.org>; To: Bob <bob@example.org>; Date: 2026-05-02 14:03 +0200; Subject: Offer"
RUSSIAN = "Президент предложил переговоры в нейтральной стране."


def read_inner(source: Source) -> Extracted:
    """Reads Markdown and mails, as the table of readers would."""
    if source.name.endswith(".eml"):
        return read_eml(source)
    if not source.name.endswith(".md"):
        raise DocumentError(f"{source.name} cannot be read: ragkit does not know such files. Convert it.")
    text = decode(source.data, source.name)
    return Extracted(text, markdown_spans(text), warnings=("has a blot",) if "blot" in text else ())


def read(data: bytes | str, name: str = "a.eml", budget: Budget | None = None) -> Extracted:
    data = data if isinstance(data, bytes) else data.encode()
    source = Source(name, data, read_inner, budget or Budget(), is_readable=lambda name: name.endswith((".md", ".eml")))
    found = read_eml(source) if name.endswith(".eml") else read_mbox(source)
    position = 0
    for span in found.spans:
        assert position <= span.start < span.end <= len(found.text)
        position = span.end
    return found


def texts(found: Extracted) -> list[str]:
    return [found.text[span.start : span.end] for span in found.spans]


def placed(found: Extracted) -> list[tuple[str, str]]:
    """Place and text of the paragraphs after the first two, which are the subject and the head."""
    return [(span.place, found.text[span.start : span.end]) for span in found.spans][2:]


def mail(body: str = "Dear Bob,\n\nit costs 5 euros.\n", **headers: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = '"Ann Lee" <ann@example.org>'
    message["To"] = "Bob <bob@example.org>"
    message["Date"] = "Sat, 02 May 2026 14:03:00 +0200"
    message["Subject"] = "Offer"
    for name, value in headers.items():
        message[name] = value
    message.set_content(body)
    return message


def raw(body: str | bytes, *headers: str) -> bytes:
    lines = ["From: Ann Lee <ann@example.org>", "Date: Sat, 02 May 2026 14:03:00 +0200", "Subject: Offer", *headers]
    return "\n".join(lines).encode() + b"\n\n" + (body if isinstance(body, bytes) else body.encode())


def test_a_mail_is_its_subject_its_head_and_its_text():
    found = read(bytes(mail()))

    assert [(span.kind, span.headings, found.text[span.start : span.end]) for span in found.spans] == [
        ("heading", (), "Offer"),
        ("prose", ("Offer",), HEAD),
        ("prose", ("Offer",), "Dear Bob,"),
        ("prose", ("Offer",), "it costs 5 euros."),
    ]
    assert {span.place for span in found.spans} == {PLACE}
    assert [(fact.name, fact.value) for fact in found.facts] == [
        ("title", "Offer"),
        ("author", '"Ann Lee" <ann@example.org>'),
        ("date", "2026-05-02"),
        ("to", "Bob <bob@example.org>"),
    ]
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("headers", "place"),
    [
        pytest.param("From: ann@x.org", "mail from ann@x.org", id="no-date"),
        pytest.param("Date: 2 May 2026 23:30:00 -1100", "mail of 2026-05-02", id="no-sender"),
        pytest.param("Date: yesterday\nFrom: a@b", "mail from a@b", id="no-date-that-is-known"),
        pytest.param("Date: 99 May 2026 23:30:00 +9999999999\nFrom: a@b", "mail from a@b", id="impossible-date"),
        pytest.param("Subject: x", "", id="neither"),
        pytest.param(f"From: {'a' * 999}", f"mail from {'a' * 99}…", id="long-sender"),
    ],
)
def test_what_a_mail_does_not_say_is_left_out_of_its_place(headers, place):
    assert {span.place for span in read(f"{headers}\n\ntext").spans} == {place}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("=?utf-8?q?Caf=C3=A9_M=C3=BCller?=", "Café Müller", id="quoted"),
        pytest.param("=?UTF-8?B?0J/RgNC10LfQuNC00LXQvdGC?= ok", "Президент ok", id="base64"),
        pytest.param("=?utf-8?q?a_?=\n =?utf-8?q?b?= c", "a b c", id="in-a-row"),
        pytest.param("=?utf-8?b?0J/RgNC10LfQuNC00LXQvdE=?= =?utf-8?b?gg==?=", "Президент", id="cut-in-a-character"),
        pytest.param("=?koi8-r?b?8NLF2snExc7U?=", "Президент", id="koi8"),
        pytest.param("=?iso-8859-1*de?q?gr=FC=DFe?=", "grüße", id="with-a-language"),
        pytest.param("=?nonsense?q?gr=C3=BC=C3=9Fe?=", "grüße", id="unknown-charset"),
        pytest.param("=?idna?q?abc?=", "abc", id="no-charset-at-all"),
        pytest.param("=?utf-8?b?%%%?= =?utf-8?x?a?=", "=?utf-8?x?a?=", id="broken"),
        pytest.param("grüße\n\tdaheim", "grüße daheim", id="raw"),
    ],
)
def test_headers_are_decoded(written, expected):
    assert texts(read(f"Subject: {written}\n\nx"))[0] == expected
    assert texts(read(f"Subject: {written}\n\nx".encode()))[1] == f"Subject: {expected}"


def test_a_raw_header_in_latin_1_is_read():
    assert texts(read(b"Subject: gr\xfc\xdfe\n\nx"))[0] == "grüße"


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        (RUSSIAN.encode("koi8-r"), "koi8-r"),
        (RUSSIAN.encode("koi8-r"), "no-such-charset"),
        (RUSSIAN.encode("cp1251"), "utf-8"),
        (RUSSIAN.encode(), "iso-8859-1"),
        (RUSSIAN.encode("utf-16"), "utf-16"),
        (RUSSIAN.encode(), ""),
        (RUSSIAN.encode(), "zlib"),
    ],
    ids=["right", "unknown", "wrong", "wrongly-latin", "wide", "none", "no-charset-at-all"],
)
def test_text_is_decoded_as_well_as_possible(body, charset):
    assert texts(read(raw(body, f"Content-Type: text/plain; charset={charset}")))[2] == RUSSIAN


@pytest.mark.parametrize(
    ("body", "encoding", "expected"),
    [
        pytest.param("gr=C3=BC=\n=C3=9Fe =", "quoted-printable", "grüße", id="quoted-printable"),
        pytest.param("Z3LDvMOf\nZQ==", "BASE64", "grüße", id="base64"),
        pytest.param("Z3LDvMOfZQ", "base64", "grüße", id="base64-without-its-end"),
        pytest.param("!Z3LDvMOfZ", "base64", "grüß", id="broken-base64"),
        pytest.param("plain", "x-unheard-of", "plain", id="unknown"),
    ],
)
def test_the_encoding_for_transport_is_undone(body, encoding, expected):
    assert texts(read(raw(body, f"Content-Transfer-Encoding: {encoding}")))[2] == expected


def test_plain_text_is_preferred_to_html():
    message = mail("It costs 5 euros.")
    message.add_alternative("<p>It costs <b>5</b> euros.</p>", subtype="html")

    assert texts(read(bytes(message)))[2:] == ["It costs 5 euros."]


def test_html_is_read_where_the_plain_text_is_a_stub():
    message = mail("See the HTML.")
    message.add_alternative(f"<h2>Price</h2><p>{'It costs five euros. ' * 20}</p>", subtype="html")

    found = read(bytes(message))

    assert texts(found)[2] == "Price"
    assert found.spans[3].headings == ("Offer", "Price")
    assert found.spans[3].place == PLACE


def test_a_mail_in_html_alone_is_read():
    assert texts(read(raw("<p>One.</p><p>Two.</p>", "Content-Type: text/html")))[2:] == ["One.", "Two."]


def test_lines_that_flow_are_joined():
    body = "It costs \nfive euros. \n\n> was it \n> really \n>> yes \n> so?\n Indented.\n-- \nAnn \nLee"

    found = read(raw(body, "Content-Type: text/plain; format=flowed"))

    assert placed(found) == [
        (PLACE, "It costs five euros."),
        (f"{PLACE}, quoted", "was it really"),
        (f"{PLACE}, quoted", "yes"),
        (f"{PLACE}, quoted", "so?"),
        (PLACE, "Indented."),
        (PLACE, "Ann Lee"),
    ]
    found = read(raw("日本 \n語", 'Content-Type: text/plain; charset=utf-8; format="flowed"; DelSp=Yes'))
    assert placed(found) == [(PLACE, "日本語")]


def test_replies_quotations_and_signatures_are_paragraphs_of_their_own():
    body = (
        "Yes.\n\nOn Fri, 1 May 2026 at 09:12, Bob\n<bob@example.org> wrote:\n> Is it five?\n>\n> Really?\n> > Six.\n\n"
        "No.\n\n-- \nAnn Lee\n\nSales\n"
    )

    assert placed(read(raw(body))) == [
        (PLACE, "Yes."),
        (PLACE, "On Fri, 1 May 2026 at 09:12, Bob\n<bob@example.org> wrote:"),
        (f"{PLACE}, quoted", "Is it five?"),
        (f"{PLACE}, quoted", "Really?"),
        (f"{PLACE}, quoted", "Six."),
        (PLACE, "No."),
        (PLACE, "Ann Lee\nSales"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("a\n--\n" + "b\n" * 30, ["a\n--\n" + "b\n" * 30], id="a-rule-is-no-signature"),
        pytest.param("See below:\n> a", ["See below:", "a"], id="a-line-before-a-quotation"),
        pytest.param("Yes\n\n\n> a", ["Yes\n\n", "a"], id="text-before-a-quotation"),
        pytest.param(
            "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nYes\n-----BEGIN PGP SIGNATURE-----\n\nQUJD\n"
            "-----END PGP SIGNATURE-----\n",
            ["\nYes\n\n"],
            id="signed",
        ),
        pytest.param(">" * 3 + " a", ["a"], id="deep"),
    ],
)
def test_the_text_of_a_mail_falls_into_stretches(text, expected):
    assert [stretch.text for stretch in stretches(text)] == expected


def test_attachments_are_read_and_those_that_cannot_be_are_warnings():
    message = mail()
    message.add_attachment("# Price\nFive.", filename="offer.md")
    message.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="offer.exe")
    message.add_attachment(b"a blot", maintype="application", subtype="x-md", filename="angebot – größe.md")
    message.add_attachment(b" ", maintype="application", subtype="x-md", filename="empty.md")

    found = read(bytes(message))

    assert [(span.headings, span.place) for span in found.spans[4:]] == [
        (("Offer",), f"{PLACE}, attachment offer.md"),
        (("Offer", "Price"), f"{PLACE}, attachment offer.md"),
        (("Offer",), f"{PLACE}, attachment angebot – größe.md"),
    ]
    assert found.warnings == (
        "has an attachment angebot – größe.md that has a blot",
        "has an attachment offer.exe that cannot be read: ragkit does not know such files. Convert it.",
        "has an attachment empty.md in which there is no text",
    )


@pytest.mark.parametrize(
    ("header", "name"),
    [
        pytest.param('attachment; filename="a b.md"', "a b.md", id="quoted"),
        pytest.param("attachment; filename=a.md; size=3", "a.md", id="bare"),
        pytest.param("attachment; filename*=utf-8'de'gr%C3%B6%C3%9Fe.md", "größe.md", id="encoded"),
        pytest.param("attachment;\n filename*0*=utf-8''gr%C3%B6;\n filename*1=\"sse.md\"", "grösse.md", id="in-parts"),
        pytest.param('attachment; filename="=?utf-8?q?gr=C3=B6=C3=9Fe.md?="', "größe.md", id="as-in-a-header"),
        pytest.param('attachment; filename="../../etc/\\"x\\".md"', '"x".md', id="with-folders"),
        pytest.param("attachment; filename*=\0'; filename*99999999999=a.md", "unnamed.x-md", id="broken"),
        pytest.param("attachment; filename*=idna''a.md", "a.md", id="no-charset-at-all"),
        pytest.param('attachment; filename="a\u202emd.exe.md"', "a md.exe.md", id="with-hidden-signs"),
    ],
)
def test_names_of_attachments_are_understood(header, name):
    data = (
        "Subject: Offer\nContent-Type: multipart/mixed; boundary=b\n\n"
        f"--b\nContent-Type: application/x-md\nContent-Disposition: {header}\n\ntext\n--b--\n"
    )

    found = read(data)

    assert [span.place for span in found.spans[2:]] + [w.split(" that ")[0] for w in found.warnings] in (
        [f"attachment {name}"],
        [f"has an attachment {name}"],
    )


def test_text_attachments_of_unknown_kinds_are_read_as_text():
    message = mail()
    message.add_attachment("- old\n+ new", subtype="x-patch", filename="a.patch")
    message.add_attachment("BEGIN:VCALENDAR\nSUMMARY:Talk\nEND:VCALENDAR", subtype="calendar")

    found = read(bytes(message))

    assert placed(found)[2][0] == f"{PLACE}, attachment a.patch"
    assert "SUMMARY:Talk" in found.text
    assert found.warnings == ()


def test_pictures_in_the_text_and_detached_signatures_are_passed_over():
    related = MIMEMultipart("related")
    related.attach(MIMEText("<p>Hello <img src=cid:x></p>", "html"))
    picture = MIMEApplication(b"PNG", "png")
    picture.replace_header("Content-Type", "image/png")
    picture["Content-Disposition"] = "attachment; filename=logo.png"
    related.attach(picture)
    signed = MIMEMultipart("signed")
    signed.attach(related)
    signed.attach(MIMEApplication(b"sig", "pgp-signature", name="signature.asc"))
    signed["Subject"] = "Offer"

    found = read(bytes(signed))

    assert texts(found)[2:] == ["Hello"]
    assert found.warnings == ()


@pytest.mark.parametrize(
    "kind",
    ["multipart/encrypted; boundary=b", "application/pkcs7-mime; name=smime.p7m", "application/x-pkcs7-mime"],
)
def test_an_encrypted_mail_is_a_warning(kind):
    found = read(raw("--b\n\nVersion: 1\n--b\n\nQUJD\n--b--", f"Content-Type: {kind}"))

    assert len(found.spans) == 2
    assert found.warnings == (
        "has a part that is encrypted or sealed. Decrypt it in the mail program and save it again",
    )


def test_an_encrypted_text_is_a_warning():
    found = read(raw("Hello\n\n-----BEGIN PGP MESSAGE-----\n\nQUJD\n-----END PGP MESSAGE-----\nBye"))

    assert texts(found)[2:] == ["Hello", "Bye"]
    assert found.warnings == ("has a text that is encrypted. Decrypt it in the mail program and save it again",)


def test_line_ends_of_the_network_change_nothing():
    message = mail("Hi.\n\n> quoted\n")
    message.add_alternative("<p>Hi.</p>", subtype="html")
    message.add_attachment("# Price\nFive.", filename="offer.md")

    assert read(message.as_bytes(policy=SMTP)) == read(message.as_bytes(policy=default))
    assert len(read(bytes(message)).spans) == 6


@pytest.mark.parametrize("boundary", ["", "; boundary=c", '; boundary="'])
def test_parts_that_cannot_be_told_apart_are_a_warning(boundary):
    found = read(raw("--b\n\ntext\n--b--", f"Content-Type: multipart/mixed{boundary}"))

    assert found.warnings == ("has parts that cannot be told apart. Save it again from the mail program",)


def test_parts_are_read_even_if_the_last_is_cut_off():
    assert texts(read(raw("--b\n\none\n--b\n\ntwo", "Content-Type: multipart/mixed; boundary=b")))[2:] == ["one", "two"]


def test_a_bounced_mail_says_why():
    body = (
        "--b\n\nNot delivered.\n--b\nContent-Type: message/delivery-status\n\nAction: failed\nStatus: 5.1.1\n"
        "--b\nContent-Type: message/rfc822\n\nSubject: Lost\n\nHello\n--b--"
    )

    found = read(raw(body, "Content-Type: multipart/report; boundary=b"))

    assert texts(found)[2:] == ["Not delivered.", "Action: failed\nStatus: 5.1.1", "Lost", "Subject: Lost", "Hello"]
    assert found.warnings == ()


def test_a_forwarded_mail_is_read_as_a_mail_inside():
    inner = EmailMessage()
    inner["From"] = "Cid <cid@example.org>"
    inner["Subject"] = "Price"
    inner.set_content("Five.")
    message = mail()
    message.add_attachment(inner)

    found = read(bytes(message))

    assert [(span.headings, span.place) for span in found.spans[4:]] == [
        (("Offer",), f"{PLACE}, attached mail from Cid <cid@example.org>"),
        (("Offer", "Price"), f"{PLACE}, attached mail from Cid <cid@example.org>"),
        (("Offer", "Price"), f"{PLACE}, attached mail from Cid <cid@example.org>"),
    ]
    assert texts(found)[-1] == "Five."


def test_the_mails_of_a_digest_are_read():
    body = "--b\n\nSubject: One\n\nFirst.\n--b\n\nSubject: Two\n\nSecond.\n--b--"

    found = read(raw(body, "Content-Type: multipart/digest; boundary=b"))

    assert [text for text in texts(found) if text.endswith(".")] == ["First.", "Second."]
    assert found.spans[-1].headings == ("Offer", "Two")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"just text", b"\xff\xfe\x00" * 99, b"X-Mailer: x\n\ntext"])
def test_what_is_no_mail_is_refused(data):
    with pytest.raises(
        DocumentError, match=r"^a\.eml is no mail: it says neither who wrote nor when .* leave it out\."
    ):
        read(data)


def test_a_text_that_is_none_is_a_warning():
    found = read(raw(b"\x7fELF\x00\x01\x02" * 50, "Content-Type: text/plain"))

    assert len(found.spans) == 2
    assert found.warnings[0].startswith("has a text that looks binary: it begins like a ELF file")


def test_many_unreadable_attachments_are_counted():
    message = mail()
    for number in range(30):
        message.add_attachment(b"MZ", maintype="application", subtype="x", filename=f"{number}.exe")

    found = read(bytes(message))

    assert len(found.warnings) == 21
    assert found.warnings[-1] == "has 10 more parts that cannot be read"


def test_a_mail_stays_readable_when_its_attachments_are_too_much():
    message = mail()
    message.add_attachment("# " + "a" * 500, filename="a.md")

    found = read(bytes(message), budget=Budget(bytes=100))

    assert texts(found)[2] == "Dear Bob,"
    assert "unpacks to more than" in found.warnings[0]


MBOX = """From ann@example.org Sat May  2 14:03:00 2026
From: Ann <ann@example.org>
Subject: One

Hello.

From noon on we talk.

>From the beginning.
>>From us.

From - Sat May 02 14:05:00 2026
Subject: Two
Date: Sat, 02 May 2026 14:05:00 +0200

Second.
From here it goes on at 12:30.

From MAILER-DAEMON Sat May  2 14:03:00 2026
X-Empty: yes

"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["unix", "dos"])
def test_the_mails_of_a_mailbox_are_read_one_after_the_other(line_end):
    found = read(MBOX.replace("\n", line_end), "a.mbox")

    assert [(span.place, found.text[span.start : span.end]) for span in found.spans] == [
        ("mail from Ann <ann@example.org>", "One"),
        ("mail from Ann <ann@example.org>", "From: Ann <ann@example.org>; Subject: One"),
        ("mail from Ann <ann@example.org>", "Hello."),
        ("mail from Ann <ann@example.org>", "From noon on we talk."),
        ("mail from Ann <ann@example.org>", "From the beginning."),
        ("mail from Ann <ann@example.org>, quoted", "From us."),
        ("mail of 2026-05-02", "Two"),
        ("mail of 2026-05-02", "Date: 2026-05-02 14:05 +0200; Subject: Two"),
        ("mail of 2026-05-02", "Second."),
        ("mail of 2026-05-02", "From here it goes on at 12:30."),
    ]
    assert found.warnings == ("has a mail 3 in which there is no text",)


def test_a_mail_in_a_mailbox_without_date_and_sender_has_a_number():
    mbox = "From a@b\nSubject: x\n\none\n\nFrom a@b\nSubject: y\n\ntwo\n"

    assert [span.place for span in read(mbox, "a.mbox").spans] == ["mail 1"] * 3 + ["mail 2"] * 3


@pytest.mark.parametrize("data", ["", "Hello\n\nFrom me to you", "From: a@b\nSubject: x\n\ny"])
def test_what_is_no_mailbox_is_refused(data):
    with pytest.raises(DocumentError, match=r"^a\.mbox is no mailbox: no mail begins in it\. Export it again"):
        read(data, "a.mbox")


def nested(levels: int, kind: bytes = b"mixed") -> bytes:
    opening = b"".join(
        b"Content-Type: multipart/%s; boundary=b%d\n\n--b%d\n" % (kind, level, level) for level in range(levels)
    )
    return b"Subject: x\n" + opening + b"\nbottom\n"


def test_hostile_mails_are_read_in_seconds():
    start = time.perf_counter()
    mails = [
        nested(5_000),
        nested(5_000, b"alternative"),
        b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 200_000,
        b"Subject: x\nContent-Type: multipart/alternative; boundary=b\n\n" + b"--b\n\nx\n" * 200_000,
        b"Subject: x\nContent-Type: multipart/digest; boundary=b\n\n" + b"--b\n" * 200_000,
        b"Subject: x\n" + b"Content-Type: message/rfc822\n\n" * 50_000,
        b"Subject: " + b"(" * 1_000_000 + b"\n\nx",
        b"Subject: " + b"=?utf-8?q?" * 100_000 + b"\n\nx",
        b"Subject: x\nContent-Disposition: attachment" + b'; filename*0="' * 50_000 + b"\n\nx",
        b"A:\n" * 300_000 + b"\nx",
        b"Subject: x\n\n" + b"> " * 500_000,
        b"Subject: x\n\n" + b"-----BEGIN PGP MESSAGE-----\n" * 20_000,
        b"Subject: x\n\n" + b"On 1 May wrote:\n> a\n" * 5_000,
    ]
    for data in mails:
        try:
            found = read(data)
        except DocumentError:
            continue
        assert len(found.warnings) <= 21
    read(b"From a@b\nA: b\n\n\n" * 3_000, "a.mbox")
    assert time.perf_counter() - start < 30


@pytest.mark.parametrize("kind", [b"mixed", b"alternative"])
def test_nothing_deep_is_passed_over_in_silence(kind):
    assert read(nested(50, kind)).warnings == ("has parts in parts, more than 20 deep, that are not read",)
    assert "bottom" in read(nested(15, kind)).text


PIECES = st.lists(
    st.sampled_from(
        [
            *("\n", "\n\n", " ", "From ", "From a@b 12:00\n", "Subject: x", "From: a", "Date: 1 May 2026", "--b", "--"),
            *(
                "Content-Type: ",
                "multipart/mixed",
                "multipart/alternative",
                "message/rfc822",
                "text/html",
                "text/plain",
            ),
            *("; boundary=b", "; charset=", "utf-7", "; format=flowed", "; filename*1*=", '"', "'", "%", "=?", "?="),
            *(
                "Content-Transfer-Encoding: base64",
                "Content-Disposition: attachment",
                "QUJD",
                "=C3",
                "> ",
                ">",
                "-- \n",
            ),
            *("<p>", "é", "\x00", "wrote:\n", "\ud800", "=?utf-7?q?+2AA-?="),
        ]
    )
    | st.text(max_size=5),
    max_size=60,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(content=PIECES, name=st.sampled_from(["a.eml", "a.mbox"]))
@example(content="Subject: x\nContent-Type: text/plain; charset=utf-7\n\n+2AA-", name="a.eml")
def test_any_mail_is_read_or_refused(content, name):
    start = "Subject: x\n" if name == "a.eml" else "From a@b 12:00\n"
    try:
        found = read((start + content).encode("utf-8", "surrogatepass"), name)
    except DocumentError:
        return
    (found.text + "".join(found.warnings)).encode()


def test_a_kind_that_runs_over_lines_gives_a_warning_on_one():
    extracted = read(b"From:@\nContent-Type:/\n 2")
    (warning,) = extracted.warnings
    assert warning.startswith("has an attachment unnamed.2 that cannot be read")
    assert warning.isprintable()
