"""What the tests of every kind of page share: hostile names, and a reader of pages."""

import re
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest

from zsltf.reports.html import write_report


class Page(HTMLParser):
    """Every element with its tag, attributes, text and cells; fails unless the elements are nested."""

    VOID = ("meta", "link", "img", "br", "wbr")

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        element = SimpleNamespace(tag=tag, attributes=dict(attributes), text="", cells=[])
        if tag in ("td", "th"):
            self.open[-1].cells.append(element)
        self.elements.append(element)
        self.open += [] if tag in self.VOID else [element]

    def handle_endtag(self, tag):
        assert self.open.pop().tag == tag

    def handle_data(self, data):
        for element in self.open:
            element.text += data
        self.text += data

    def find(self, tag):
        return [element for element in self.elements if element.tag == tag]

    def rows(self):
        """The cells of each table row, white space made even."""
        return [[" ".join(cell.text.split()) for cell in row.cells] for row in self.find("tr")]

    def labels(self):
        """What the figures say."""
        return [element.text.strip().removeprefix("◆ ") for element in self.find("text")]

    def check_stands_alone(self):
        forbidden = {"script", "iframe", "object", "embed", "base", "form", "video", "audio", "source"}
        assert not forbidden & {element.tag for element in self.elements}
        for element in self.elements:
            for key, value in element.attributes.items():
                assert not key.startswith("on")
                if key in ("src", "href", "xlink:href", "srcset", "action", "data", "poster"):
                    assert value.startswith(("data:", "#"))
                elif key != "alt":
                    assert "://" not in (value or "")
                assert all(target.startswith("#") for target in re.findall(r"url\((.*?)\)", value or ""))
        [style] = self.find("style")
        assert not re.search(r"url\(|@import|://", style.text)
        policies = [meta.attributes["content"] for meta in self.find("meta") if "http-equiv" in meta.attributes]
        assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]

    def check_announced(self):
        assert self.elements[0].attributes == {"lang": "en"}
        ids = [element.attributes["id"] for element in self.elements if "id" in element.attributes]
        assert len(set(ids)) == len(ids)
        assert len(self.find("caption")) == len(self.find("table"))
        assert len(self.find("h1")) == 1
        assert all("scope" in cell.attributes for cell in self.find("th"))
        assert all(figure.attributes["aria-label"] for figure in self.find("svg"))
        for element in self.elements:
            for key in ("aria-labelledby", "href", "xlink:href"):
                target = element.attributes.get(key, "data:")
                assert target.startswith("data:") or target.removeprefix("#") in ids


@pytest.fixture(scope="session")
def render():
    """Write a run's report and read it back."""

    def read_back(run):
        path = write_report(run)
        assert path == run.path / "report.html"
        return Page(path.read_text("utf-8"))

    return read_back


@pytest.fixture(scope="session")
def read_page():
    """A report.html that is there already."""
    return lambda path: Page(path.read_text("utf-8"))


@pytest.fixture(scope="session")
def nasty():
    """Names that are no mathematics, no tags, no colours and no addresses, and one that is no text."""
    return (
        "a_b & <script>alert(1)</script>",
        "$x$",
        r"$\frac{broken",
        "</svg><img src=x onerror=alert(1)>",
        "'\"--> {{ 7 * 7 }} {% raw %}",
        "#0000a0 &amp; fill: #0000a7",
        "https://example.org/?a=1&b=2",
        "雪豹 パンダ",
        "حصان",
        "n" * 120,
        "turned\u202eround",
        "no text: \ufffd",
    )
