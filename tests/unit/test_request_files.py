"""Files of requests: scenario files in TOML and JSON, and what a browser exports."""

import json
from dataclasses import replace

import pytest

from harness.config.files import ScenarioFile
from harness.config.read import read, read_requests
from harness.errors import DeclarationError
from harness.model import Side, Target
from harness.prepare.point import RequestOptions, parts_of, requested_point
from harness.prepare.versus import another_block, versus_plan, versus_targets
from harness.report.versus import limit_line
from harness.results.versus import control_contrasts, judged, main_contrast, request_contrasts
from tests.unit.summaries import contrast, summary

OWN = Target("own", "own", "asgi", "uvicorn", "shop:app")
TOML = """
concurrency = [8]

[[request]]
path = "/caf\u00e9"
weight = 3

[[request]]
name = "order"
path = "/orders"
headers = { Authorization = "Bearer x" }
body = { lines = [1, 2] }
status = 201
volatile = ["id"]
"""


def entry(url, method="GET", status=200, headers=(), **post):
    request = {"method": method, "url": url, "headers": [{"name": n, "value": v} for n, v in headers]}
    return {"request": {**request, **({"postData": post} if post else {})}, "response": {"status": status}}


def har(*entries):
    return json.dumps({"log": {"version": "1.2", "entries": entries}})


def test_a_scenario_file_holds_requests_to_an_own_app(tmp_path):
    file = tmp_path / "shop.toml"
    file.write_text(TOML, "utf-8")
    scenario, skipped = read_requests(file)
    first, second = scenario.requests
    assert (scenario.name, scenario.title, scenario.concurrency, skipped) == ("shop", "shop", (8,), {})
    assert (first.case, first.weight, first.raw.path, first.raw.method) == ("GET /caf%C3%A9", 3, "/caf%C3%A9", "GET")
    assert (second.case, second.raw.method, second.raw.status, second.raw.volatile) == ("order", "POST", 201, ("id",))
    assert json.loads(second.raw.content) == {"lines": [1, 2]}
    assert dict(second.raw.headers) == {"Authorization": "Bearer x", "Content-Type": "application/json"}
    assert read(file).validated(ScenarioFile).model("shop") == scenario


def test_json_of_the_same_form_or_a_list_of_requests(tmp_path):
    file = tmp_path / "shop.json"
    for document in ({"request": [{"path": "/a"}]}, [{"path": "/a"}]):
        file.write_text(json.dumps(document))
        [request] = read_requests(file)[0].requests
        assert (request.raw.path, read_requests(file)[0].concurrency) == ("/a", (32,))


def test_of_a_browsers_export_the_requests_to_the_app_are_sent_equal_ones_once(tmp_path):
    file = tmp_path / "site.har"
    cookie = ("Cookie", "session=1")
    file.write_text(
        har(
            entry("https://shop.example/", headers=[(":authority", "shop.example"), cookie, ("Connection", "close")]),
            entry("https://shop.example/static/a.css?v=1"),
            entry("https://shop.example/static/a.css?v=1"),
            entry("https://cdn.example/a.js"),
            entry("wss://shop.example/live"),
            entry("data:image/png;base64,AA"),
            entry("https://shop.example/favicon.ico", status=404),
            entry("https://shop.example/blocked", status=0),
            entry("https://shop.example/cart", "POST", 302, text="a=1", mimeType="x"),
        )
    )
    scenario, skipped = read_requests(file)
    page, style, cart = scenario.requests
    assert page.raw.headers == (cookie, ("Host", "shop.example"))
    assert (style.weight, style.raw.path, style.raw.status) == (2, "/static/a.css?v=1", 200)
    assert (cart.raw.method, cart.raw.content, cart.raw.status) == ("POST", "a=1", 302)
    assert skipped == {
        "to cdn.example": 1,
        "WebSocket": 1,
        "data: URL": 1,
        "answered 404": 1,
        "without a reply": 1,
    }
    _, [note] = requested_point([OWN], RequestOptions(requests=file), None)
    assert note.code == "requests-skipped"
    assert "1 to cdn.example" in note.fields["text"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.toml", "[[request]]\npath = 'x'\n", r"a\.toml:1: request\.0: path 'x' must begin with /"),
        ("a.toml", "[[request]]\nmethod = 'GET'\n", "needs 'endpoint'"),
        ("a.toml", "[[request]]\npath = '/'\ncase = 'x'\n", "'case' cannot be combined with 'path'"),
        ("a.toml", "[[request]]\npath = '/'\nweigth = 2\n", r"weigth: unknown key; expected one of body, .* weight"),
        ("a.toml", "[[request]]\npath = '/'\nweight = 0\n", "a.toml:3: request.0.weight"),
        ("a.toml", "[[request]]\nendpoint = 'json'\n", "'question' is missing"),
        ("a.json", "{", r"a\.json:1: not valid JSON"),
        ("a.json", "[]", "request"),
        ("a.har", '{"log": {}}', "not a HAR file"),
        ("a.har", har(entry("wss://a/b")), "1 WebSocket"),
        ("missing.toml", None, "cannot be read"),
    ],
)
def test_mistakes_are_told_with_file_line_and_key(tmp_path, name, text, message):
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(DeclarationError, match=message) as caught:
        read_requests(tmp_path / name)
    assert name in str(caught.value)


def mix(tmp_path, count=3):
    file = tmp_path / "mix.json"
    file.write_text(json.dumps([{"path": f"/{index}", "weight": index + 1} for index in range(count)]))
    return requested_point([OWN], RequestOptions(requests=file), None)[0]


def test_each_request_of_a_mix_has_a_contrast_of_its_own_and_the_mix_the_last(tmp_path):
    point = mix(tmp_path)
    assert [part.id for part in parts_of(point)] == ["GET /2@32", "GET /1@32", "GET /0@32"]
    targets = versus_targets(OWN, Target("new", "own", "asgi", "uvicorn", "shop:app"), point, True)
    plan = versus_plan(targets, point, "cpu_cost", seed=1, budget_s=60.0, start_s=1.0)
    assert [each.a.point for each in plan.contrasts] == ["GET /2@32", "GET /1@32", "GET /0@32", point.id, point.id]
    [first] = plan.blocks
    second = another_block(plan, 50.0, 2.0)
    assert [len(window.sides) for window in first.windows] == [2, 2, 2, 3]
    assert {window.key for window in first.windows} == {each.id for each in plan.points}
    assert [window.key for window in second.windows] == [
        window.key for window in (*first.windows[1:], first.windows[0])
    ]
    assert sum(window.seconds for window in first.windows) < 12


def test_those_that_weigh_least_are_in_the_mix_alone_where_time_is_short(tmp_path):
    point = mix(tmp_path, 40)
    plan = versus_plan((OWN, OWN), point, "cpu_cost", seed=1, budget_s=30.0, start_s=1.0)
    assert 1 < len(plan.points) < 20
    assert plan.points[0].id == "GET /39@32"
    assert plan.points[-1] == point
    assert point.requests[0].case == "GET /0"


def test_verdicts_by_request_stand_beside_that_of_the_mix():
    found = contrast("different", 1.2, 1.1, 1.3, metric="cpu_cost")
    one = replace(found, id="one", a=Side("A", "GET /1@32"), b=Side("B", "GET /1@32"))
    whole = replace(
        contrast("same", 1.0, 0.99, 1.01, metric="cpu_cost"), id="mix", a=Side("A", "mix@32"), b=Side("B", "mix@32")
    )
    control = replace(whole, id="control", a=Side("A~again", "mix@32"), b=Side("A", "mix@32"))
    compared = summary(contrasts=(control, one, whole))
    assert main_contrast(compared) == whole
    assert request_contrasts(compared) == (one,)
    assert control_contrasts(compared) == (control,)
    limit = judged(compared, 0.03)
    assert (limit.outcome, limit.beyond) == ("passed", ("GET /1@32",))
    assert "passed; slower by more by themselves: GET /1@32" in limit_line(limit)
