"""The report in a real browser: alone, accessible, usable from the keyboard, and whole without JavaScript."""

import dataclasses

import pytest
from axe_playwright_python.sync_playwright import Axe

from harness.model import Gate, Reason
from harness.report.language.catalogue import language
from harness.report.report import render_report
from harness.results.summarise import summarise
from tests.browser.conftest import NEEDS_CHROMIUM
from tests.synthetic import TARGETS, make_run
from tests.unit.summaries import agrees, resolve

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A report with a target that is not a reference, a failed one and an unmeasurable cell; its summary too."""
    spare = dataclasses.replace(TARGETS[1], name="flask-spare", reference=False)
    gate = Gate(Reason("generator", {"text": "generator at 91% of its CPU"}), "tornado", "json@32")
    run = make_run(targets=(*TARGETS, spare), blocks=6, rounds=4, failing=["django-gunicorn"], gates=[gate])
    found = summarise(run.manifest, run.records, run.samples)
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render_report(run.manifest, found, run.records), "utf-8")
    return path, found


@pytest.fixture
def open_page(browser, made):
    """Opens the report; whatever it says on the console or asks of the network fails the test."""
    contexts, faults = [], []

    def opened(path=made[0], **settings):
        context = browser.new_context(**settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: request.url == path.as_uri() or faults.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [fault for fault in faults if not fault.startswith("data:")] == []


def visible_names(page):
    return [name.inner_text() for name in page.locator("#decide tbody .name").all() if name.is_visible()]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(open_page, scheme):
    page = open_page(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


def test_the_korean_page_is_as_accessible(open_page, tmp_path):
    run = make_run(blocks=5, rounds=2)
    found = summarise(run.manifest, run.records, run.samples)
    path = tmp_path / "ko.html"
    path.write_text(render_report(run.manifest, found, run.records, language=language("ko")), "utf-8")
    page = open_page(path)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_charts_take_their_colours_from_the_theme(open_page, scheme):
    page = open_page(color_scheme=scheme)
    colours = page.evaluate(
        """() => {
            const text = document.querySelector("#answers svg text");
            return [getComputedStyle(text).fill, getComputedStyle(document.body).color];
        }"""
    )
    assert colours[0] == colours[1]


def test_every_number_on_the_page_is_the_summarys(open_page, made):
    page = open_page()
    shown = page.evaluate(
        """() => [...document.querySelectorAll("[data-value]")].map((one) => {
            const table = one.closest("table");
            const column = () => [...table.tHead.rows].at(-1).cells[one.cellIndex].dataset.of;
            const path = one.dataset.path || `${one.closest("tr").dataset.path}.${column()}`;
            return [path, one.dataset.value, one.textContent];
        })"""
    )
    document = dataclasses.asdict(made[1])
    assert len(shown) > 300
    for path, value, text in shown:
        assert float(value) == resolve(document, path), path
        assert agrees(text, float(value)), (path, value, text)


def test_the_table_is_sorted_from_the_keyboard(open_page):
    page = open_page()
    head = page.locator("#decide thead tr:last-child th").first
    head.get_by_role("button").focus()
    for key, order in (("Enter", "descending"), ("Space", "ascending")):
        page.keyboard.press(key)
        assert head.get_attribute("aria-sort") == order
        cells = page.locator("#decide tbody tr td:nth-of-type(1)").all()
        values = [
            one.locator("[data-value]").first.get_attribute("data-value")
            for one in cells
            if one.is_visible() and one.locator("[data-value]").count()
        ]
        numbers = [float(value) for value in values]
        assert numbers == sorted(numbers, reverse=order == "descending")
        last = page.locator("#decide tbody tr").last
        assert "none" in (last.locator("td").first.get_attribute("class") or "")


def test_text_and_numbers_sort_in_the_other_tables(open_page):
    page = open_page()
    table = page.locator("#upkeep table")
    names = table.locator("tbody th")
    head = table.locator("thead th").first
    head.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert names.all_inner_texts() == sorted(names.all_inner_texts(), key=str.lower)


def test_other_targets_appear_on_demand(open_page):
    page = open_page()
    assert "Flask on Gunicorn (spare)" not in visible_names(page)
    page.locator("#all").focus()
    page.keyboard.press("Space")
    assert "Flask on Gunicorn (spare)" in visible_names(page)
    page.keyboard.press("Space")
    assert "Flask on Gunicorn (spare)" not in visible_names(page)


def test_the_filter_keeps_what_matches(open_page):
    page = open_page()
    page.get_by_label("Filter").focus()
    page.keyboard.type("DJANGO")
    assert visible_names(page) == ["Django on Gunicorn", "Django on Uvicorn"]
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    assert len(visible_names(page)) == 5


def test_a_baseline_is_pinned_and_let_go(open_page, made):
    page = open_page()
    button = page.get_by_role("button", name="Pin FastAPI on Uvicorn as baseline")
    button.focus()
    page.keyboard.press("Enter")
    assert page.get_by_role("status").filter(has_text="Baseline: FastAPI on Uvicorn").count() == 1
    assert button.get_attribute("aria-pressed") == "true"
    values = {cell.target: cell for cell in made[1].cells if cell.point == "orders-raw@32"}
    ratio = values["tornado"].throughput_rps.value / values["fastapi-uvicorn"].throughput_rps.value
    row = page.locator("#decide tbody tr", has=page.locator(".name", has_text="Tornado"))
    shown = [float(text.split("×")[1].split(",")[0]) for text in row.locator(".versus").all_inner_texts()]
    assert any(number == pytest.approx(ratio, rel=0.05) for number in shown)
    page.keyboard.press("Enter")
    assert page.locator(".versus").count() == 0
    assert button.get_attribute("aria-pressed") == "false"


def test_without_javascript_everything_is_there(open_page):
    page = open_page(java_script_enabled=False)
    assert len(visible_names(page)) == 6
    assert page.locator(".answer").count() == 4
    for hidden in ("#filter", "#all", "#copy", ".js-only"):
        assert not page.locator(hidden).first.is_visible(), hidden
    page.locator("#data details").last.locator("summary").click()
    assert page.get_by_label("This report as Markdown").is_visible()


def test_the_first_screen_holds_all_four_answers(open_page):
    page = open_page(viewport={"width": 1280, "height": 800})
    boxes = [one.bounding_box() for one in page.locator(".answer .headline").all()]
    assert len(boxes) >= 4
    assert all(box["y"] + box["height"] <= 800 for box in boxes)


def test_questions_stay_readable_on_a_narrow_screen(open_page):
    page = open_page(viewport={"width": 360, "height": 780})
    assert all(one.bounding_box()["width"] > 200 for one in page.locator(".answer h3").all())


def test_a_workload_is_read_between_measured_points_and_not_beyond(open_page):
    page = open_page()
    box, source = page.get_by_label("I/O wait, ms"), page.locator("#own-source")
    box.fill("3")
    text = source.inner_text()
    low, high = (float(part.split()[-1]) for part in text.partition("measured ")[2].split(" ms")[:2])
    assert low < 3 < high
    assert "interpolated" in text
    assert page.locator("#own-result tbody tr").count() > 3
    box.fill("100000")
    assert "nothing is said of 100000 ms" in source.inner_text()
    box.fill("-1")
    assert source.inner_text() == ""


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(open_page, width):
    page = open_page(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_print_shows_answers_and_leaves_out_controls(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator(".headline").first.is_visible()
    assert not page.locator("#decision .tools").is_visible()
    assert not page.locator("#workload-form").is_visible()
    assert not page.locator(".pin").first.is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(251, 250, 247)"


def test_forced_colours_leave_text_and_marks_visible(open_page):
    page = open_page(forced_colors="active", color_scheme="dark")
    paper, ink, mark = page.evaluate(
        """() => {
            const of = (one, property) => getComputedStyle(document.querySelector(one))[property];
            return [of("body", "backgroundColor"), of("body", "color"), of("#answers svg text", "fill")];
        }"""
    )
    assert paper != ink
    assert paper != mark


def test_copying_says_what_happened(open_page):
    page = open_page()
    page.locator("#data details").last.locator("summary").click()
    page.get_by_role("button", name="Copy").click()
    said = page.locator("#copied")
    said.filter(has_text="Copied.").or_(said.filter(has_text="Selected")).wait_for(timeout=10_000)


def test_hostile_names_run_nothing(open_page, tmp_path):
    run = make_run(blocks=5, rounds=3, hostile=True)
    own = [dataclasses.replace(each, framework="own") for each in run.manifest.targets]
    run = dataclasses.replace(run, manifest=dataclasses.replace(run.manifest, targets=tuple(own)))
    found = summarise(run.manifest, run.records, run.samples)
    path = tmp_path / "hostile.html"
    path.write_text(render_report(run.manifest, found, run.records), "utf-8")
    page = open_page(path)
    assert "<script>alert('x')</script>" in visible_names(page)
    page.get_by_role("button", name="Pin <script>alert('x')</script> as baseline").click()
    assert page.get_by_role("status").filter(has_text="<script>alert").count() == 1
