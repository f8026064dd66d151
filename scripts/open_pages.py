"""Opens the page of runs, its newest report and every app's documentation in Chromium; fails where one is not whole.

python scripts/open_pages.py URL
"""

from __future__ import annotations

import shutil
import sys

from playwright.sync_api import Page, sync_playwright


def check(page: Page, url: str, mark: str) -> None:
    """The page answers, shows ``mark`` and logs no error."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    answer = page.goto(url)
    if answer is None or answer.status != 200:
        sys.exit(f"{url}: {answer and answer.status}")
    page.wait_for_selector(mark, timeout=30_000)
    if errors:
        sys.exit(f"{url}: {errors[0]}")
    print(f"  {url}")


def main(start: str) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(start)
        reports = page.locator("#runs a[href^='/reports/']").evaluate_all("links => links.map(link => link.href)")
        documents = page.locator("#apps a").evaluate_all("links => links.map(link => link.href)")
        if not reports or not documents:
            sys.exit(f"{start} lists {len(reports)} reports and {len(documents)} documentation pages")
        check(browser.new_page(), reports[0], "#answers")
        for url in documents:
            check(browser.new_page(), url, ".opblock" if url.endswith("/docs") else "[id^='operation'], .api-content")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
