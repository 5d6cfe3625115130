"""Narratives of every kind, well meant and not: what is left of them is listed elements and escaped text."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsuzuri.domain.rendering.narrative import DEPTH_MAX, narrative

TAG = re.compile(r"</?([a-z0-9]+)((?: (?:colspan|rowspan)=\"[1-9][0-9]?\")*)>")
PIECES = (
    "<p>", "</p>", "<b", ">", "<", "</", "<script>", "</script>", "<td colspan='2'>", "</td>", "<table>", "<!--", "-->",
    "<![CDATA[", "]]>", "<svg/onload=x>", "javascript:", "&lt;script&gt;", "&#60;", '"', "'", "/>", "<div/>", "<style>",
    "熱", " ", "\u202e", "<br/>", "</table>", "<a href=x>", "<?", "<h1>", "</h1>", "<TITLE>",
)  # fmt: skip


class Balance(HTMLParser):
    """Every element that begins ends, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.deepest = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag not in ("br", "hr"):
            self.open.append(tag)
            self.deepest = max(self.deepest, len(self.open))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def depth_of(markup: str) -> int:
    """How deep its elements lie; fails unless they are balanced."""
    balance = Balance()
    balance.feed(markup)
    balance.close()
    assert balance.open == []
    return balance.deepest


def test_paragraphs_lists_and_tables_stay_without_their_attributes() -> None:
    sent = (
        '<div xmlns="http://www.w3.org/1999/xhtml" class="x">'
        '<p style="color:red" onclick="a()">熱は<b>38.5</b>度<br/>続く</p>'
        '<table border="1"><tr><td colspan="2" rowspan="3" id="a">x</td></tr></table><ul><li>一</li></ul></div>'
    )

    assert narrative(sent) == (
        "<div><p>熱は<b>38.5</b>度<br>続く</p>"
        '<table><tr><td colspan="2" rowspan="3">x</td></tr></table><ul><li>一</li></ul></div>'
    )


@pytest.mark.parametrize(
    ("sent", "left"),
    [
        ("a<script>alert(1)</script>b", "ab"),
        ("a<SCRIPT SRC=x>alert(1)</SCRIPT >b", "ab"),
        ("a<style>p{}</style>b", "ab"),
        ("a<svg><script>1</script></svg>b", "ab"),
        ('<a href="javascript:alert(1)">読む</a>', "読む"),
        ('<img src="x" onerror="alert(1)"/>図', "図"),
        ("<p>one<p>two", "<p>one<p>two</p></p>"),
        ("<b>開いたまま", "<b>開いたまま</b>"),
        ("閉じるだけ</p></div>", "閉じるだけ"),
        ("<b><i>x</b>y</i>", "<b><i>x</i></b>y"),
        ("CRP <0.1 & WBC >9000", "CRP &lt;0.1 &amp; WBC &gt;9000"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("<![CDATA[<script>1</script>]]>", "&lt;script&gt;1&lt;/script&gt;"),
        ("a<!-- <script>1</script> -->b", "ab"),
        ("<td colspan='9999' rowspan='0'>x</td>", "<td>x</td>"),
        ("<h1>大見出し</h1>", "<h4>大見出し</h4>"),
        ("12\u202e34", "1234"),
        ("<script>終わらない", "終わらない"),
        ("<!-- 終わらない", "&lt;!-- 終わらない"),
        ("<div><p>  </p></div>", ""),
    ],
)
def test_what_is_left(sent: str, left: str) -> None:
    assert narrative(sent) == left


def test_tables_in_tables_stay_and_what_lies_too_deep_keeps_its_text() -> None:
    nested = narrative("<table><tr><td>" * 5 + "底" + "</td></tr></table>" * 5)
    deep = narrative("<div>" * 500 + "底" + "</div>" * 500 + "上")

    assert nested.count("<table>") == 5
    assert depth_of(deep) == DEPTH_MAX and deep.count("底") == 1 and deep.endswith("上")


@pytest.mark.parametrize(
    "piece", ["<!--", "<a", "<a '", "<", "<script>", "<![CDATA[", "<b></i>", "<table><tr><td>", "文"]
)
def test_a_megabyte_of_anything_is_read_to_its_end(piece: str) -> None:
    """A reader that looks twice at each piece would take hours here."""
    assert narrative(piece * (1_000_000 // len(piece.encode())) + "終").count("終") == 1


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_whatever_is_sent_only_listed_elements_come_out_and_each_ends(sent: str) -> None:
    markup = narrative(sent)

    depth_of(markup)
    bare = TAG.sub("", markup)
    assert "<" not in bare and ">" not in bare
    assert {found[1] for found in TAG.finditer(markup)} <= {"p", "b", "td", "table", "div", "br", "h4"}
