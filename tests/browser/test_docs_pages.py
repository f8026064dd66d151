"""Swagger UI and ReDoc of every app in a real browser that can reach nothing but the app."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from apps.contract.operations import OPERATIONS
from harness.serve import serving
from tests.browser.conftest import NEEDS_CHROMIUM
from tests.targets import ALL, REFERENCES

pytestmark = NEEDS_CHROMIUM
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def origin(request):
    with serving(ALL[request.param]) as running:
        yield f"http://{running.bind.host}:{running.bind.port}"


@pytest.fixture
def page(browser, origin):
    """A page whose requests to elsewhere are stopped, and fail the test, as do errors of its scripts."""
    faults = []
    context = browser.new_context(viewport={"width": 1280, "height": 1600}, base_url=origin)

    def judge(route):
        if route.request.url.startswith(origin):
            route.continue_()
        else:
            faults.append(route.request.url)
            route.abort()

    context.route("**/*", judge)
    opened = context.new_page()
    opened.set_default_timeout(WAIT_MS)
    opened.on("pageerror", lambda error: faults.append(str(error)))
    try:
        yield opened
    finally:
        context.close()
    assert faults == []


@pytest.mark.parametrize("origin", REFERENCES, indirect=True)
class TestDocs:
    def test_swagger_ui_lists_the_operations_and_tries_one_out(self, page, tmp_path):
        page.goto("/docs")
        blocks = page.locator(".opblock")
        expect(blocks).to_have_count(len(OPERATIONS), timeout=WAIT_MS)
        shown = {
            (
                block.locator(".opblock-summary-method").inner_text(),
                block.locator("[data-path]").get_attribute("data-path"),
            )
            for block in blocks.all()
        }
        assert shown == {(operation.method, operation.path) for operation in OPERATIONS}
        block = page.locator(".opblock", has=page.locator('[data-path="/items/{item_id}"]'))
        block.locator(".opblock-summary-control").click()
        block.get_by_role("button", name="Try it out").click()
        block.locator('tr[data-param-name="item_id"] input').fill("7")
        block.get_by_role("button", name="Execute").click()
        live = block.locator(".live-responses-table")
        expect(live.locator("tbody .response-col_status").first).to_contain_text("200", timeout=WAIT_MS)
        expect(live).to_contain_text("Item 7")
        page.screenshot(path=tmp_path / "swagger.png")

    def test_redoc_lists_the_operations(self, page, tmp_path):
        page.goto("/redoc")
        expect(page.locator("h1")).to_contain_text("Contract", timeout=WAIT_MS)
        paths = page.locator(".menu-content [data-item-id^='operation'], .menu-content [data-item-id*='/paths/']")
        expect(paths).to_have_count(len(OPERATIONS), timeout=WAIT_MS)
        page.screenshot(path=tmp_path / "redoc.png")
