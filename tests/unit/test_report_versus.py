"""What ``harness versus`` says in words."""

from harness.model import Manifest, Plan, Point, Target
from harness.report.schemas import schema_of
from harness.report.versus import comment_of, document, lines, listed_packages
from tests.unit.summaries import contrast, manifest, summary


def test_packages_that_both_sides_have_come_first_and_the_rest_is_counted():
    packages = {f"p{n:02d}": ("none", "1.0") for n in range(20)} | {"starlette": ("0.47.3", "0.40.0")}
    listed = listed_packages(packages)
    assert listed.startswith("starlette 0.47.3 against 0.40.0, p00 none against 1.0, ")
    assert listed.endswith("p06 none against 1.0, and 13 more")


def test_a_single_package_is_all():
    assert listed_packages({"starlette": ("1.0", "1.1")}) == "starlette 1.0 against 1.1"


def test_the_margin_is_the_comparisons_and_not_what_its_control_was_held_against():
    control = contrast("same", 1.001, 0.995, 1.007, a="fast twin", b="fast", margin=0.02)
    found = summary(contrasts=(control, contrast(margin=0.047)), margin=0.047)
    said = lines(manifest(), found, document(found, (), 40.0))
    assert "A/A control: 0.10% [−0.50%, 0.70%], same; the margin is ±4.7%" in said


def test_what_only_counts_have_is_left_out_of_the_document_of_clocks():
    described = schema_of("versus")
    assert set(document(summary(contrasts=(contrast(),)), (), 40.0)) == set(described["required"])
    assert "counts" in described["properties"]


def test_a_comment_is_found_by_its_first_line_and_shows_no_markup_of_others():
    target = Target("working-tree", "own", "wsgi", "gunicorn", "shop:create_app('a--b')")
    point = Point("GET /a--b?c=1@32", "request", {}, 32, (), slice_s=0.05)
    plan = Plan("versus", 1, 40.0, 40.0, (point,), (), ())
    command = "harness versus shop --against main"
    manifest = Manifest("run", "working-tree against feature_x", "", "done", command, 1, plan, (target,), (), {}, {})
    lines = ["B costs <b>5%</b> more", "A: 20 µs", "", "    A − B  function"]
    assert comment_of(manifest, lines).splitlines() == [
        "<!-- harness versus shop:create_app('a b')@gunicorn GET /a b?c=1@32 -->",
        r"### working-tree against feature\_x",
        "",
        r"**B costs \<b\>5%\</b\> more**",
        "",
        "- A: 20 µs",
        "",
        "```",
        command,
        "",
        "    A − B  function",
        "```",
    ]
