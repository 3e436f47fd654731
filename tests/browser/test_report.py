"""The report in a real browser: opened, filtered, sorted, clicked, from the keyboard, printed."""

from __future__ import annotations

import base64
from typing import Any

import pytest

pytest.importorskip(
    "selenium", reason="selenium drives the browser; nox -s browser_tests installs it"
)

from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.conftest import Chrome, Open

CHAIN = "planned chain depth=100;width=64 output"
CHAIN_LINK = "#case=planned+chain+depth%3D100%3Bwidth%3D64+output"


def all_of(chrome: Chrome, selector: str) -> list[Any]:
    """The elements that a selector finds."""
    return list(chrome.find_elements(By.CSS_SELECTOR, selector))


def one(chrome: Chrome, selector: str) -> Any:
    """The element that a selector finds."""
    return chrome.find_element(By.CSS_SELECTOR, selector)


def until(chrome: Chrome, selector: str, count: int = 1) -> list[Any]:
    """Wait until so many elements are there, or more."""
    WebDriverWait(chrome, 20).until(lambda _: len(all_of(chrome, selector)) >= count)
    return all_of(chrome, selector)


def shown_rows(chrome: Chrome) -> list[list[str]]:
    """The texts of the table's rows."""
    script = (
        "return [...document.querySelectorAll('#rows tbody tr')]"
        ".map(row => [...row.cells].map(cell => cell.textContent))"
    )
    return list(chrome.execute_script(script))


def test_what_got_worse_stands_on_top(opened: Open) -> None:
    """Counts and regressions are seen without a click, and the table starts with them."""
    chrome = opened()

    assert "regressed" in one(chrome, ".headline").text
    assert "+2" in one(chrome, "header table tbody tr:nth-child(3)").text
    verdicts = [row[5] for row in shown_rows(chrome)]
    order = ["▲ regressed", "▼ improved", "? inconclusive", "= unchanged"]
    assert verdicts == sorted(verdicts, key=order.index)
    assert verdicts[0] == order[0]


def test_every_column_is_seen(opened: Open) -> None:
    """At 1280 px neither the rows nor a case's numbers reach beyond what is shown of them."""
    chrome = opened(fragment=CHAIN_LINK, width=1280)
    until(chrome, "#case table tbody tr")

    script = (
        "return [...document.querySelectorAll('.scroll')].filter(box => box.clientWidth)"
        ".map(box => box.scrollWidth - box.clientWidth)"
    )
    hidden_px = list(chrome.execute_script(script))
    assert len(hidden_px) >= 3
    assert max(hidden_px) <= 0


def test_filters_and_search(opened: Open) -> None:
    """Each narrows the table; the address holds them, and clearing brings all rows back."""
    chrome = opened()
    everything = len(shown_rows(chrome))

    Select(one(chrome, "#verdict")).select_by_value("unchanged")
    assert {row[5] for row in shown_rows(chrome)} == {"= unchanged"}
    one(chrome, "#q").send_keys("mlp nodes")
    WebDriverWait(chrome, 20).until(lambda _: len(shown_rows(chrome)) == 1)
    assert shown_rows(chrome)[0][0].startswith("planned mlp")
    assert "verdict=unchanged" in chrome.current_url
    assert "q=mlp+nodes" in chrome.current_url
    one(chrome, "#clear").click()
    assert len(shown_rows(chrome)) == everything
    assert one(chrome, "#q").get_attribute("value") == ""


def test_a_link_holds_what_was_filtered(opened: Open) -> None:
    """Opening the address again shows the same rows, and going back undoes a step."""
    chrome = opened(fragment="#q=chain&what=evaluate+time&sort=candidate:down")

    assert [row[:2] for row in shown_rows(chrome)] == [[CHAIN, "evaluate time"]]
    assert one(chrome, "th[aria-sort=descending]").text.startswith("candidate")
    one(chrome, "#rows .case-link").click()
    assert one(chrome, "#case-name").text == CHAIN
    chrome.back()
    assert not one(chrome, "#case").is_displayed()


def test_sorting(opened: Open) -> None:
    """A click sorts upwards, another one downwards; numbers by size, unknown ones last."""
    chrome = opened(fragment="#what=evaluate+time")

    one(chrome, "[data-sort=baseline]").click()
    upwards = [row[0] for row in shown_rows(chrome)]
    one(chrome, "[data-sort=baseline]").click()
    assert upwards.pop().startswith("planned fragile")
    assert [row[0] for row in shown_rows(chrome)][:-1] == upwards[::-1]
    assert upwards[0].startswith("planned sweep depth=10;")
    assert upwards[-1].startswith("planned sweep depth=10000;")


def test_a_case_has_its_plots(opened: Open) -> None:
    """Phases, launches, drift, time and memory along launches, named for screen readers."""
    chrome = opened(fragment=CHAIN_LINK)
    drawn = until(chrome, "#case .drawing svg", 5)

    assert len(drawn) == 5
    names = {each.get_attribute("aria-label") for each in all_of(chrome, "#case .drawing")}
    assert f"Time per call along time launches of {CHAIN}" in names
    assert f"Resident memory along memory launches of {CHAIN}" in names
    assert f"Phases of {CHAIN}" in names
    dots = all_of(chrome, "#case figure:nth-of-type(2) svg [aria-roledescription=circle]")
    assert len(dots) == 16


def test_hovering_gives_the_exact_value(opened: Open) -> None:
    """With its unit, as exactly as the table has it."""
    chrome = opened(fragment=CHAIN_LINK)
    dots = until(chrome, "#case figure:nth-of-type(2) svg [aria-roledescription=circle]", 16)

    ActionChains(chrome).move_to_element(dots[0]).perform()
    tip = one(chrome, "#tip")
    WebDriverWait(chrome, 20).until(lambda _: tip.is_displayed())
    assert "version: old" in tip.text
    assert "launch: 0" in tip.text
    exact = tip.text.partition(" ms (")[2].partition(" s)")[0]
    told = chrome.execute_script(
        "const [first] = document.getElementById('drawings').textContent.split('\\n');"
        "const [number] = JSON.parse(first).numbers.filter(each => /time/.test(each.plot.title));"
        "return String(number.plot.values[0].value[0])"
    )
    assert exact == told


def test_another_number_is_drawn(opened: Open) -> None:
    """By the choice in the case; the address tells which."""
    chrome = opened(fragment=CHAIN_LINK)
    until(chrome, "#case .drawing svg", 5)

    Select(one(chrome, "#number")).select_by_value("evaluate peak_memory (VmHWM)")
    until(chrome, "#case .drawing svg", 5)
    names = {each.get_attribute("aria-label") for each in all_of(chrome, "#case .drawing")}
    assert f"evaluate peak_memory of {CHAIN}, a dot for each launch" in names
    assert "number=evaluate+peak_memory" in chrome.current_url


def test_growth_is_drawn_when_it_comes_into_view(opened: Open) -> None:
    """For the sweep, a line for each version."""
    chrome = opened()
    assert not all_of(chrome, "#growth-plot svg")

    chrome.execute_script("document.getElementById('growth-section').scrollIntoView()")
    until(chrome, "#growth-plot svg")
    assert "sweep depth=…" in one(chrome, "#growth-plot figcaption").text
    lines = all_of(chrome, "#growth-plot svg [aria-roledescription='line mark']")
    assert len(lines) == 2


def test_a_history_is_drawn_with_its_case(opened: Open) -> None:
    """Changes are listed with the version they enter with; a click draws the versions in order."""
    chrome = opened("releases")

    (entry,) = all_of(chrome, "#history tbody tr")
    assert "▲ +" in entry.text
    assert "lib==1.10 (after lib==1.9)" in entry.text
    entry.find_element(By.CSS_SELECTOR, "a").click()
    name = f"evaluate time of {CHAIN}, by version"
    until(chrome, f"[aria-label='{name}'] svg")
    dots = all_of(chrome, f"[aria-label='{name}'] svg [aria-roledescription=circle]")
    across = [dot.rect["x"] for dot in dots]
    assert across == sorted(across)
    assert len(across) == 5
    ActionChains(chrome).move_to_element(dots[2]).perform()
    tip = one(chrome, "#tip")
    WebDriverWait(chrome, 20).until(lambda _: tip.is_displayed())
    assert "version: lib==1.10" in tip.text
    assert "worse from lib==1.10 on: +" in tip.text


def test_the_map_has_a_cell_for_each_version_and_case(opened: Open) -> None:
    """Coloured by ratio; the text says it too."""
    chrome = opened()
    worse = all_of(chrome, "#map td.regressed")

    assert len(worse) >= 5
    assert all(cell.text.startswith(("▲ +", "+", "▲")) for cell in worse)
    colours = {cell.value_of_css_property("background-color") for cell in worse}
    assert "rgba(0, 0, 0, 0)" not in colours


def test_the_keyboard_is_enough(opened: Open) -> None:
    """Slash searches, Tab and Enter open a case, Escape closes it and gives the focus back."""
    chrome = opened()
    body = one(chrome, "body")

    body.send_keys("/")
    assert chrome.switch_to.active_element.get_attribute("id") == "q"
    chrome.switch_to.active_element.send_keys("mlp evaluate time")
    WebDriverWait(chrome, 20).until(lambda _: len(shown_rows(chrome)) == 1)
    for _ in range(40):
        ActionChains(chrome).send_keys(Keys.TAB).perform()
        if "case-link" in (chrome.switch_to.active_element.get_attribute("class") or ""):
            break
    ActionChains(chrome).send_keys(Keys.ENTER).perform()
    assert chrome.switch_to.active_element.get_attribute("id") == "case-name"
    ActionChains(chrome).send_keys(Keys.ESCAPE).perform()
    assert not one(chrome, "#case").is_displayed()
    assert chrome.execute_script("return document.activeElement === document.body") is False


def test_failures_and_environments_are_told(opened: Open) -> None:
    """Each failure with its case; each fact for each version."""
    chrome = opened()

    assert "crash in evaluate, 1 of 1 launches: SIGSEGV" in one(chrome, "#gap-lists").text
    facts = chrome.execute_script("return document.getElementById('fact-tables').textContent")
    assert "packages.numpy1.26.4" in facts


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read_in_light_and_dark(opened: Open, dark: bool) -> None:
    """Contrast of at least 4.5 to 1 (WCAG AA) for text, quiet text, links and verdicts."""
    chrome = opened(dark=dark)
    found = chrome.execute_script(
        """
        const style = getComputedStyle(document.documentElement);
        const channels = (name) => {
          const probe = document.createElement("i");
          probe.style.color = style.getPropertyValue(name);
          document.body.append(probe);
          const rgb = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map(Number);
          probe.remove();
          return rgb;
        };
        return Object.fromEntries(["--paper", "--ink", "--quiet", "--link", "--bad", "--good",
          "--unsure"].map((name) => [name, channels(name)]));
        """
    )

    paper = found.pop("--paper")
    assert (sum(paper) < 300) == dark
    assert {
        name: contrast(paper, ink) for name, ink in found.items() if contrast(paper, ink) < 4.5
    } == {}


def contrast(one: list[float], other: list[float]) -> float:
    """WCAG's contrast of two sRGB colours."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: list[float]) -> float:
    """WCAG's relative luminance."""
    shares = [value / 255 for value in colour]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_is_no_wider_than_the_window(opened: Open, width: int) -> None:
    """With a case open; wide tables scroll by themselves."""
    chrome = opened(fragment=CHAIN_LINK, width=width)
    until(chrome, "#case .drawing svg", 5)

    widest = chrome.execute_script("return document.documentElement.scrollWidth")
    assert widest <= width


def test_it_prints(opened: Open) -> None:
    """As a PDF with what got worse and the open case, without controls."""
    chrome = opened(fragment=CHAIN_LINK)
    until(chrome, "#case .drawing svg", 5)

    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not one(chrome, "#filters").is_displayed()
    assert one(chrome, "#case svg").is_displayed()
    assert one(chrome, ".headline").is_displayed()
    pdf = base64.b64decode(chrome.execute_cdp_cmd("Page.printToPDF", {})["data"])
    assert pdf.startswith(b"%PDF")


def test_one_version_is_shown_too(opened: Open) -> None:
    """Its cases and numbers, and no table of verdicts."""
    chrome = opened("one")

    assert not one(chrome, "#rows").is_displayed()
    one(chrome, "#map .case-link").click()
    assert until(chrome, "#case .drawing svg", 2)
    assert "ms" in one(chrome, "#case table").text


def test_malice_stays_text(opened: Open) -> None:
    """No script of a table's runs, no element of its is made, in any section."""
    chrome = opened("hostile")
    for at in range(len(all_of(chrome, "#map .case-link"))):
        all_of(chrome, "#map .case-link")[at].click()
        until(chrome, "#case h2")
    chrome.execute_script("document.getElementById('environments').scrollIntoView()")

    assert not all_of(chrome, "img")
    assert len(all_of(chrome, "script")) == 6
    assert "<script>alert(1)</script>" in one(chrome, "h1 ~ .headline").text
