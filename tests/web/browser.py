"""Headless Chromium as a user of the page: what it sees, does and asks the network for."""

import base64
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--use-fake-device-for-media-stream",
)


class Browser:
    """One page, and shorthands for what tests do with it."""

    def __init__(self, driver, downloads: Path):
        self.driver, self.downloads, self.features = driver, downloads, {}

    def open(self, address: str) -> "Browser":
        """Go there and wait until the model is loaded or the page says why not."""
        self.driver.get(address)
        self.wait(lambda: self.find("#main").is_displayed() or self.find("#failure").is_displayed())
        return self

    def find(self, selector: str):
        return self.driver.find_element("css selector", selector)

    def all(self, selector: str) -> list:
        return self.driver.find_elements("css selector", selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def texts(self, selector: str) -> list[str]:
        return [found.text for found in self.all(selector)]

    def click(self, selector: str) -> None:
        self.find(selector).click()

    def button(self, label: str):
        """The button that a screen reader calls so."""
        return self.find(f'button[aria-label="{label}"]')

    def write(self, selector: str, text: str) -> None:
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def choose(self, selector: str, files: Sequence[Path]) -> None:
        """Files for a file input, as if they were dropped on it."""
        self.find(selector).send_keys("\n".join(map(str, files)))

    def run(self, script: str, *inputs):
        return self.driver.execute_script(script, *inputs)

    def wait(self, holds, seconds: float = 120):
        from selenium.webdriver.support.wait import WebDriverWait

        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: holds())

    def add_photos(self, files: Sequence[Path]) -> None:
        """Choose photos and wait for their answers."""
        before = len(self.all(".photo"))
        self.choose("#files", files)
        self.wait(lambda: len(self.all(".photo[aria-busy=false]")) == before + len(files))

    def answers(self) -> list[str]:
        """Each photo's likeliest class, without its marks."""
        return self.run(
            "return [...document.querySelectorAll('.photo .bars')].map((bars) => bars.querySelector('bdi').textContent)"
        )

    def requests(self) -> list[str]:
        """Every address that the network was asked for since the last call."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
        sockets = [event["params"]["url"] for event in events if event["method"] == "Network.webSocketCreated"]
        return [url for url in (*sent, *sockets) if urlsplit(url).scheme in ("http", "https", "ws", "wss")]

    def complaints(self) -> list[str]:
        """Errors and warnings in the browser's console, policy violations among them."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] != "INFO"]

    def size(self, width: int, height: int) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )

    def reset(self) -> None:
        """A wide screen, and no preferences."""
        self.features = {}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
        self.size(1280, 900)

    def media(self, feature: str, value: str) -> None:
        """Prefer something."""
        self.features[feature] = value
        features = [{"name": name, "value": wanted} for name, wanted in self.features.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def screenshot(self, path: Path, *, full: bool = False) -> None:
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": full})
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def chromium(folder: Path) -> Iterator[Browser]:
    """A fresh Chromium with its profile and its downloads in this folder, or a skipped test where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install selenium")
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        pytest.skip("no browser: apt-get install chromium chromium-driver")
    downloads = folder / "downloads"
    downloads.mkdir(parents=True)
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    started = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield Browser(started, downloads)
    finally:
        started.quit()
