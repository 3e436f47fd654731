"""A real Chromium; tests that need one are skipped, and say so, where there is none."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.results.report.reports import (
    BLOCKS,
    TIMELINES,
    history_of,
    hostile,
    page_of,
    releases,
    usual,
)
from tests.results.samples import suite

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="selenium drives the browser; nox -s browser_tests installs it"
)

Chrome = Any
Open = Callable[..., Chrome]


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Reports, as files."""
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "usual": page_of(usual(), TIMELINES, BLOCKS),
        "one": page_of(suite("only", 1)),
        "releases": page_of(releases(), over=history_of(releases())),
        "hostile": page_of(hostile(), title="<img src=x onerror=alert(1)>"),
    }
    paths = {}
    for name, page in made.items():
        paths[name] = folder / f"{name}.html"
        paths[name].write_text(page, encoding="utf-8")
    return paths


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chrome]:
    """One headless Chromium, without network."""
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("chromium is absent: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as started:
        started.execute_cdp_cmd("Network.enable", {})
        started.execute_cdp_cmd(
            "Network.emulateNetworkConditions",
            {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
        )
        yield started


@pytest.fixture
def opened(chrome: Chrome, pages: dict[str, Path]) -> Iterator[Open]:
    """Opens a page at a fragment; at the end, the console must have nothing to say."""

    def open_page(
        name: str = "usual", fragment: str = "", *, width: int = 1280, dark: bool = False
    ) -> Chrome:
        chrome.get("about:blank")  # so that a page opened before is loaded anew
        chrome.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [scheme]})
        chrome.get(pages[name].as_uri() + fragment)
        assert chrome.execute_script("return document.documentElement.dataset.ready") == "yes"
        return chrome

    chrome.get_log("browser")
    yield open_page
    assert chrome.get_log("browser") == []


def screenshot(chrome: Chrome) -> bytes:
    """The visible part of the page, as PNG."""
    return base64.b64decode(chrome.get_screenshot_as_base64())
