"""Opens an HTML report in Chromium: page.py CHROMIUM REPORT."""

import sys
from playwright.sync_api import sync_playwright

browser_path, report = sys.argv[1:]
url = "file://" + report


def rows(page):
    """Lists the ids of the first table's findings that are shown."""
    return page.locator("table.findings >> nth=0").locator("tbody tr:visible .id").all_inner_texts()


def opened(browser, **options):
    context = browser.new_context(**options)
    page = context.new_page()
    complaints, requests = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(url)
    return page, complaints, requests


def check_script(browser):
    page, complaints, requests = opened(browser)
    everything = rows(page)
    assert len(everything) == 2, everything
    severity = page.locator("table.findings >> nth=0").get_by_role("button", name="Vulnerability")
    severity.click()
    assert rows(page) == sorted(everything), rows(page)
    severity.click()
    assert rows(page) == sorted(everything, reverse=True), rows(page)
    page.get_by_role("searchbox").fill("crafted")
    assert rows(page) == ["CVE-2099-0001"], rows(page)
    assert page.locator("output").inner_text().startswith("1 of "), page.locator("output").inner_text()
    page.get_by_role("searchbox").fill("")
    page.get_by_role("checkbox", name="critical").uncheck()
    assert rows(page) == ["CVE-2099-0003"], rows(page)
    page.get_by_role("checkbox", name="with a fix").check()
    assert rows(page) == [], rows(page)
    page.get_by_role("checkbox", name="with a fix").uncheck()
    page.get_by_role("checkbox", name="critical").check()
    page.get_by_role("checkbox", name="exploited").check()
    assert rows(page) == ["CVE-2099-0003"], rows(page)
    page.get_by_role("checkbox", name="exploited").uncheck()
    epss = page.locator("table.findings >> nth=0").get_by_role("button", name="EPSS")
    epss.click()
    assert rows(page) == ["CVE-2099-0001", "CVE-2099-0003"], "what has a score comes first"
    epss.click()
    assert rows(page) == ["CVE-2099-0003", "CVE-2099-0001"], rows(page)
    assert complaints == [], complaints
    assert requests == [url], requests


def check_without_script(browser):
    page, complaints, _ = opened(browser, java_script_enabled=False)
    assert len(rows(page)) == 2
    assert not page.locator("#tools").is_visible(), "filters that do nothing are hidden"
    for text in ["Not assessed completely: 2 of 6 images", "✗ Not assessed: ", "1 finding suppressed"]:
        assert page.get_by_text(text).first.is_visible(), text
    assert complaints == [], complaints


def check_phone(browser):
    page, _, _ = opened(browser, viewport={"width": 390, "height": 844}, is_mobile=True)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"the page is {width} wide"


with sync_playwright() as playwright:
    chromium = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
    for check in (check_script, check_without_script, check_phone):
        check(chromium)
    chromium.close()
