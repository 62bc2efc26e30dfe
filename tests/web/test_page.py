"""The page in headless Chromium, with a small network behind each runtime: what a user does, sees and is refused."""

import base64
import hashlib
import json
import re
import shutil
from types import SimpleNamespace
from urllib.parse import urlsplit

import numpy as np
import pytest
from web.browser import chromium
from web.model_folder import PAGE, write_folder
from web.small_network import COLUMNS, NAMES, batch, classifier, pictures, probabilities
from web.web_server import served

from zsltf.data.classes import ClassTable


@pytest.fixture(scope="module", params=["onnxruntime-web", "litert"])
def home(request, packages, tmp_path_factory):
    """A served folder of one runtime."""
    model = classifier(photo_level=4.0, prior_photos=2.0)
    folder = write_folder(model, tmp_path_factory.mktemp("home") / "web", request.param, packages)
    with served(folder) as server:
        yield SimpleNamespace(classifier=model, folder=folder, runtime=request.param, address=server.address)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def page(window, home):
    """The page, just opened; nothing of it may break its own policy or leave this machine."""
    window.complaints()
    window.requests()
    window.reset()
    yield window.open(home.address)
    assert {urlsplit(url).hostname for url in window.requests()} == {"127.0.0.1"}
    assert not [told for told in window.complaints() if "Content Security Policy" in told or "Uncaught" in told]


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    return pictures(tmp_path_factory.mktemp("photos"), 5)


def shown(page):
    """{class: percent} of each photo, of its likeliest classes."""
    cards = page.run(
        """return [...document.querySelectorAll(".photo")].map((card) =>
             [...card.querySelectorAll(".bars li")].map((li) =>
               [li.querySelector("bdi").textContent, li.querySelector(".number").textContent]))"""
    )
    return [{name: float(re.sub("[<%]", "", percent)) for name, percent in card} for card in cards]


def assert_shown(page, model, files, runtime):
    for card, path in zip(shown(page), files, strict=True):
        expected = probabilities(model, path, runtime)
        best = np.argsort(-expected)[:5]
        assert list(card) == [model.names[i] for i in best]
        np.testing.assert_allclose(list(card.values()), 100 * expected[best], atol=0.11)


def names(page):
    return page.run("return [...document.querySelectorAll('#table bdi')].map((name) => name.textContent)")


def slide(page, attribute, value):
    page.run(
        """const label = document.querySelector(`#sliders label[data-name="${arguments[0]}"]`);
           const input = label.querySelector("input");
           input.value = arguments[1];
           input.dispatchEvent(new Event("input"));""",
        attribute,
        value,
    )


def describe_by(page, way):
    page.click(f"#ways input[value={way}]")


def add_by_photos(page, name, files):
    page.click("#add")
    describe_by(page, "photos")
    page.write("#name", name)
    page.choose("#examples", files)
    page.wait(lambda: len(page.all("#example-list li")) == len(files))
    page.click("#confirm")
    page.wait(lambda: f"Added “{name}”" in page.text("#status"))


def downloaded(page):
    for old in page.downloads.iterdir():
        old.unlink()
    page.click("#download")
    page.wait((page.downloads / "classes.json").is_file)
    return json.loads((page.downloads / "classes.json").read_text("utf-8"))


def test_probabilities_are_those_of_keras(page, home, photos):
    page.add_photos(photos)
    assert_shown(page, home.classifier, photos, home.runtime)
    assert page.text("#status") == "5 photos classified."


def test_a_class_by_attributes(page, home, photos):
    page.add_photos(photos)
    page.click("#add")
    page.write("#name", "yak")
    page.find("#start").send_keys("dog")
    most = float(home.classifier.classes.semantics[:, 2].max())
    slide(page, "fur", most)
    page.click("#confirm")
    page.wait(lambda: "Added “yak”" in page.text("#status"))
    row = home.classifier.classes.semantics[3].copy()
    row[2] = page.run("return document.querySelector('#sliders label[data-name=fur] input').valueAsNumber")
    assert row[2] == pytest.approx(most, abs=0.05)  # a slider has steps
    new = ClassTable(names=("yak",), semantics=row[None], seen=np.zeros(1, bool), columns=COLUMNS)
    assert_shown(page, home.classifier.with_classes(new), photos, home.runtime)
    assert names(page) == ["yak", *NAMES]
    (added,) = downloaded(page)["add"]
    assert added == {"name": "yak", "semantics": pytest.approx(dict(zip(COLUMNS, row.tolist(), strict=True)), rel=1e-6)}


@pytest.mark.parametrize("way", ["photos", "both"])
def test_a_class_by_photos_of_unequal_size(page, home, photos, way):
    page.add_photos(photos)
    page.click("#add")
    describe_by(page, way)
    page.write("#name", "yak")
    page.choose("#examples", photos[1:4])
    page.wait(lambda: len(page.all("#example-list li")) == 3)
    page.click("#confirm")
    page.wait(lambda: "Added “yak”" in page.text("#status"))
    model = home.classifier
    embeddings = np.concatenate([np.asarray(model.embedding(batch(path, home.runtime))) for path in photos[1:4]])
    vector, semantics = embeddings.mean(axis=0, keepdims=True), None
    if way == "both":
        semantics = model.classes.semantics.mean(axis=0, keepdims=True)
        vector = (3 * vector + 2 * model.project_semantics(semantics)) / 5
    bias = 4.0 - float(np.mean(model.similarity(embeddings, vector)))
    assert_shown(page, model.extended(("yak",), vector, semantics, (bias,)), photos, home.runtime)
    download = downloaded(page)
    assert (download["of"], download["remove"], download["rename"]) == (list(NAMES), [], {})
    (added,) = download["add"]
    assert ("semantics" in added) == (way == "both")
    np.testing.assert_allclose(added["vector"], vector[0], atol=2e-3)  # pixels may differ by a level
    assert added["bias"] == pytest.approx(bias, abs=2e-3)


def test_removing_renaming_and_undoing_decode_no_photo_again(page, home, photos):
    page.add_photos(photos)
    before = shown(page)
    page.run(
        """const decode = createImageBitmap;
           window.decoded = 0;
           window.createImageBitmap = (...inputs) => { window.decoded += 1; return decode(...inputs); };"""
    )
    gone, kept = list(before[0])[:2]
    page.button(f"Remove {gone}").click()
    page.wait(lambda: gone not in names(page))
    page.wait(lambda: all(gone not in card for card in shown(page)))
    assert page.text("#status").startswith(f"Removed “{gone}”. The top class of ")
    page.button(f"Rename {kept}").click()
    page.write(f'input[aria-label="New name of {kept}"]', "something else\n")
    page.wait(lambda: "something else" in names(page))
    page.wait(lambda: any("something else" in card for card in shown(page)))
    assert page.text("#status") == f"“{kept}” is now “something else”. No photo's top class changed."
    download = downloaded(page)
    assert (download["remove"], download["rename"], download["add"]) == ([gone], {kept: "something else"}, [])
    page.click("#undo")
    page.click("#undo")
    page.wait(lambda: shown(page) == before)
    assert names(page) == list(NAMES)
    assert not page.find("#undo").is_enabled()
    assert not page.find("#download").is_enabled()
    assert page.run("return window.decoded") == 0


def test_everything_by_the_keyboard(page):
    from selenium.webdriver import ActionChains, Keys

    def press(*keys):
        actions = ActionChains(page.driver)
        for key in keys:
            actions = actions.send_keys(key)
        actions.perform()

    def focused():
        return page.run(
            "const e = document.activeElement; return e.getAttribute('aria-label') || e.id || e.textContent"
        )

    order = []
    for _ in range(4):
        press(Keys.TAB)
        order.append(focused())
    assert order[:4] == ["files", "use-camera", "add", "Rename ant"]
    page.run("document.getElementById('add').focus()")
    press(Keys.ENTER)
    assert focused() == "name"
    press("yak", Keys.ENTER)
    page.wait(lambda: "yak" in names(page))
    assert focused() == "add"
    page.run("document.querySelector('[aria-label=\"Remove bee\"]').focus()")
    press(Keys.ENTER)
    page.wait(lambda: "bee" not in names(page))
    assert focused() == "Remove cat"
    page.run("document.querySelector('[aria-label=\"Rename cat\"]').focus()")
    press(Keys.ENTER, Keys.ESCAPE)
    assert focused() == "Rename cat"
    press(Keys.ENTER, "tom", Keys.ENTER)
    page.wait(lambda: "tom" in names(page))
    assert focused() == "Rename tom"
    for left in (["yak", "ant", "cat"], ["yak", "ant", "bee"], ["ant", "bee", "cat"]):
        ActionChains(page.driver).key_down(Keys.CONTROL).send_keys("z").key_up(Keys.CONTROL).perform()
        page.wait(lambda left=left: names(page)[:3] == left)


def test_focus_stays_near_what_was_removed_and_undone(page):
    def focused():
        return page.run("return document.activeElement.ariaLabel ?? document.activeElement.id")

    page.run("document.querySelectorAll('#table li')[2].hidden = true")  # as a filter does
    page.button(f"Remove {NAMES[1]}").send_keys("\ue007")
    page.wait(lambda: focused() == f"Remove {NAMES[3]}")
    page.find("#undo").send_keys("\ue007")
    page.wait(lambda: focused() == "add")


def test_photos_that_are_still_read_are_removed_with_the_others(page, tmp_path):
    page.choose("#files", pictures(tmp_path, 60))
    page.wait(lambda: page.find("#clear").is_displayed())
    page.click("#clear")
    before = page.run("return performance.now()")
    page.wait(lambda: page.run("return performance.now()") > before + 1500)
    assert not page.all(".photo")
    assert "classified" not in page.text("#status")


def test_a_dropped_photo_is_classified(page, photos):
    page.run(
        """const bytes = Uint8Array.from(atob(arguments[0]), (sign) => sign.charCodeAt(0));
           const transfer = new DataTransfer();
           transfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
           document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));""",
        base64.b64encode(photos[0].read_bytes()).decode(),
    )
    page.wait(lambda: "dropped.png: " in page.text("#status"))
    assert len(page.all(".photo")) == 1


def test_photos_that_are_dropped_on_the_dialog_are_its_examples(page, photos):
    drop = """const bytes = Uint8Array.from(atob(arguments[0]), (sign) => sign.charCodeAt(0));
              const transfer = new DataTransfer();
              transfer.items.add(new File([bytes], "dropped.png", { type: "image/png" }));
              document.getElementById("adding").dispatchEvent(
                new DragEvent("drop", { dataTransfer: transfer, bubbles: true }));"""
    content = base64.b64encode(photos[0].read_bytes()).decode()
    page.click("#add")
    page.run(drop, content)
    page.wait(lambda: page.text("#refusal").startswith("The photos are not taken: describe the class by photos"))
    describe_by(page, "photos")
    page.run(drop, content)
    page.wait(lambda: len(page.all("#example-list li")) == 1)
    assert not page.all(".photo")


def test_a_file_that_is_no_image_is_named_and_the_others_are_taken(page, photos, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(photos[0].read_bytes()[:60])
    text = tmp_path / "notes.txt"
    text.write_text("no image", "utf-8")
    page.choose("#files", [broken, text, photos[0]])
    page.wait(lambda: page.all(".photo[aria-busy=false]") and "notes.txt" in page.text("#warning"))
    assert "broken.png is no image that this browser can read" in page.text("#warning")
    assert "notes.txt is no image that this browser can read" in page.text("#warning")
    assert names(page) == list(NAMES)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "The class has no name: write one."),
        ("   ", "The class has no name: write one."),
        (" bee ", "“bee” is there already: write another name."),
    ],
)
def test_a_name_that_can_not_be_is_refused_in_the_dialog(page, name, message):
    page.click("#add")
    page.write("#name", name)
    page.click("#confirm")
    page.wait(lambda: page.text("#refusal") == message)
    page.click("#cancel")
    assert names(page) == list(NAMES)
    assert not page.find("#undo").is_enabled()


def test_no_image_makes_no_class(page, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no image", "utf-8")
    page.click("#add")
    describe_by(page, "photos")
    page.write("#name", "yak")
    page.choose("#examples", [text])
    page.wait(lambda: "notes.txt is no image" in page.text("#refusal"))
    page.click("#confirm")
    page.wait(lambda: page.text("#refusal") == "Give at least one photo of the class.")
    page.click("#cancel")
    assert names(page) == list(NAMES)


def test_a_rename_to_a_name_that_is_there_is_refused(page):
    page.button("Rename ant").click()
    page.write('input[aria-label="New name of ant"]', "bee\n")
    page.wait(lambda: "“bee” is there already" in page.text("#warning"))
    assert "Dismiss" in page.text("#warning")
    page.click("#warning button")
    assert page.text("#warning") == ""
    page.find('input[aria-label="New name of ant"]').send_keys("\ue00c")  # Escape
    page.wait(lambda: names(page) == list(NAMES))


def test_names_are_text_and_never_markup(page):
    name = "<img src=x onerror=document.title=1>"
    page.click("#add")
    page.write("#name", name)
    page.click("#confirm")
    page.wait(lambda: name in names(page))
    assert not page.all("#table img")
    assert page.driver.title == "model"


def test_the_camera_takes_photos_and_is_switched_off(page, home):
    page.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"origin": home.address.rstrip("/"), "permissions": ["videoCapture"]}
    )
    page.click("#use-camera")
    page.wait(lambda: page.run("return document.querySelector('video').videoWidth") > 0)
    page.run("window.tracks = document.querySelector('video').srcObject.getTracks()")
    page.click("#shutter")
    page.click("#shutter")
    page.wait(lambda: page.text("#camera-told") == "2 photos taken.")
    page.click("#camera button[type=submit]")
    page.wait(lambda: len(page.all(".photo[aria-busy=false]")) == 2)
    assert page.run("return window.tracks.map((track) => track.readyState)") == ["ended"]


def test_a_refused_camera_is_told(page, home):
    page.driver.execute_cdp_cmd(
        "Browser.setPermission",
        {"origin": home.address.rstrip("/"), "permission": {"name": "camera"}, "setting": "denied"},
    )
    page.click("#use-camera")
    page.wait(lambda: page.text("#warning").startswith("The camera was refused: allow it for this page."))
    assert not page.find("#camera").is_displayed()
    assert names(page) == list(NAMES)


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_screen(page, home, photos, width):
    page.size(width, 800)
    page.open(home.address)
    page.add_photos(photos)
    add_by_photos(page, "a_class_with_a_rather_long_name_that_has_to_wrap_somewhere", photos[:1])
    page.click("#reading summary")
    assert page.run("return document.scrollingElement.scrollWidth") <= width
    page.click("#add")
    describe_by(page, "both")
    assert page.run("const d = document.getElementById('adding'); return d.scrollWidth - d.clientWidth") <= 0


def test_reduced_motion_moves_nothing(page):
    def seconds():
        return page.run("return getComputedStyle(document.getElementById('add')).transitionDuration")

    assert seconds() != "0s"
    page.media("prefers-reduced-motion", "reduce")
    assert seconds() == "0s"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page, home, packages, photos, scheme):
    axe = (packages / "axe-core" / "axe.min.js").read_text("utf-8")

    def violations():
        found = page.driver.execute_async_script(
            "const done = arguments[0]; axe.run(document).then(({ violations }) => done(violations))"
        )
        return [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found]

    page.media("prefers-color-scheme", scheme)
    page.media("prefers-reduced-motion", "reduce")  # colours are there at once
    page.open(home.address)
    page.run(axe)
    assert violations() == []
    page.add_photos(photos)
    add_by_photos(page, "yak", photos[:2])
    page.click("#reading summary")
    assert violations() == []
    page.choose("#files", [PAGE / "page.css"])
    page.wait(lambda: "page.css is no image" in page.text("#warning"))
    page.button("Rename ant").click()
    assert violations() == []
    page.click("#add")
    describe_by(page, "both")
    page.click("#confirm")
    page.wait(lambda: "no name" in page.text("#refusal"))
    assert violations() == []


def damaged(home, tmp_path, change):
    folder = shutil.copytree(home.folder, tmp_path / "web")
    path = folder / "model" / "model.json"
    described = json.loads(path.read_text("utf-8"))
    change(folder, described)
    if path.exists():
        path.write_text(json.dumps(described), "utf-8")
    return folder


def of_format_2(folder, described):
    described["format"] = 2


def of_another_runtime(folder, described):
    described["runtime"] = "abacus"


def without_description(folder, described):
    (folder / "model" / "model.json").unlink()


def without_runtime(folder, described):
    shutil.rmtree(folder / "runtime")


def without_network(folder, described):
    (folder / "model" / described["files"]["network"]).unlink()


def with_damaged_network(folder, described):
    (folder / "model" / described["files"]["network"]).write_bytes(b"no model")


def with_short_vectors(folder, described):
    described["class_vectors"]["data"] = described["class_bias"]["data"]


def with_a_name_too_many(folder, described):
    described["card"]["names"].append("yak")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (of_format_2, "The model's description is of format 2, and this page reads format 1. Export it again."),
        (of_another_runtime, "The model wants the runtime “abacus”, which this page does not know. Export it again."),
        (without_description, "/model/model.json is not there (404)."),
        (without_runtime, "The model does not load with "),
        (without_network, " is not there (404)."),
        (with_damaged_network, "The model does not load with "),
        (with_short_vectors, "The model's class vectors have 28 bytes, and their shape tells 168. Export it again."),
        (with_a_name_too_many, "The model has 8 names, 7 class vectors and 7 biases. Export it again."),
    ],
)
def test_a_model_that_can_not_be_used_is_told(window, home, tmp_path, change, message):
    with served(damaged(home, tmp_path, change)) as server:
        window.open(server.address)
        assert message in window.text("#failure")
        assert not window.find("#main").is_displayed()


@pytest.mark.parametrize(
    ("doors", "ways"),
    [([], []), (["photos"], ["photos"]), (["semantics"], ["attributes"])],
)
def test_only_doors_that_open_are_shown(window, home, tmp_path, doors, ways):
    def change(folder, described):
        described["card"]["opens_by"] = doors

    with served(damaged(home, tmp_path, change)) as server:
        window.open(server.address)
        assert window.find("#add").is_displayed() == bool(ways)
        assert window.find("#door").is_displayed() != bool(ways)
        radios = "return [...document.querySelectorAll('#ways input')].map((radio) => radio.value)"
        assert window.run(radios) == ways
        if ways:
            window.click("#add")
            assert not window.find("#ways").is_displayed()
            assert window.find(f"#by-{ways[0]}").is_displayed()


def test_none_of_these_below_the_threshold(window, home, tmp_path, photos):
    best = [
        float(
            home.classifier.logits(batch(path, home.runtime), home.classifier.class_vectors, home.classifier.class_bias)
            .numpy()
            .max()
        )
        for path in photos
    ]

    def change(folder, described):
        described["card"]["threshold"] = float(np.median(best))

    with served(damaged(home, tmp_path, change)) as server:
        window.open(server.address)
        window.add_photos(photos)
        titles = window.texts(".photo h3")
        expected = [score < np.median(best) - 1e-6 for score in best]
        assert [title == "none of these" for title in titles] == expected
        assert True in expected


def test_the_policy_names_the_import_map_by_its_hash():
    page = (PAGE / "index.html").read_text("utf-8")
    (inline,) = re.findall(r"<script[^>]*>(.+?)</script>", page)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert f"script-src 'self' 'wasm-unsafe-eval' 'sha256-{digest}';" in page
    assert "unsafe-inline" not in page
    assert not re.search(r"https?://", page)
