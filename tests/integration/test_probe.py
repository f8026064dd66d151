"""What ``harness versus`` learns of the two sides before it measures them."""

from dataclasses import replace

import pytest

from harness.config.placement import detect
from harness.errors import LaunchError, NotReadyError
from harness.model import Reason
from harness.prepare.point import RequestOptions, requested_point
from harness.prepare.probe import probe
from harness.prepare.remote import MixedFleet, remote_target
from harness.serve import serving_all
from harness.serve.services import services
from tests.conftest import asgi_app
from tests.unit.test_load_slices import server

pytestmark = [pytest.mark.live, pytest.mark.usefixtures("no_process_left")]


def probed(targets, *paths, volatile=()):
    point, _ = requested_point(targets, RequestOptions(paths=paths, volatile=volatile), 4)
    with services(set()) as around, serving_all(targets, detect(), around.environment, kind=MixedFleet) as fleet:
        return probe(fleet, targets, point, around)


def test_each_request_of_a_mix_is_looked_at_on_both_sides(own_app):
    a = own_app(asgi_app(body='b"[%d]" % len(scope["path"])'), module="a")
    b = own_app(asgi_app(body='b"[%d]" % (1 if scope["path"] == "/" else 9)'), module="b")
    found = probed([a, b], "/", "/long")
    assert found.point.id == "mix of 2 requests@4"
    assert [(each.raw.status, each.raw.body) for each in found.point.requests] == [(200, "[1]"), (200, None)]
    [note] = found.notes
    assert note == Reason("replies-differ", {"request": "GET /long", "text": "different on the two sides: [0]"})


def test_absolute_links_are_the_same_on_both_sides(own_app):
    a = own_app(asgi_app(body="""b'["http://%s/"]' % dict(scope["headers"])[b"host"]"""), module="a")
    found = probed([a, replace(a, name="again")], "/")
    assert found.notes == ()
    assert found.point.requests[0].raw.body == '["http://127.0.0.1/"]'


def test_redirects_and_different_statuses_are_said(own_app):
    moved = own_app(asgi_app(status=302), module="moved")
    [note] = probed([moved, replace(moved, name="again")], "/").notes
    assert note == Reason("redirects", {"request": "GET /", "location": ""})
    with pytest.raises(NotReadyError, match="GET /: the two answer with different statuses: 200 and 302"):
        probed([moved, own_app(asgi_app(), module="plain")], "/")
    with pytest.raises(LaunchError, match="answered 404"):
        probed([moved, own_app(asgi_app(status=404), module="missing")], "/")


def test_fields_that_may_change_and_error_pages(own_app):
    clock = "__import__('time').time_ns()"
    a = own_app(asgi_app(body=f'b\'{{"at": %d, "error": "none left"}}\' % {clock}'), module="ticking")
    pair = [a, replace(a, name="again")]
    found = probed(pair, "/", volatile=("at",))
    assert found.point.requests[0].raw.volatile == ("at",)
    assert [note.code for note in found.notes] == ["error-page"]
    assert [note.code for note in probed(pair, "/").notes] == ["error-page", "replies-differ"]


def test_what_runs_at_a_url_is_asked_like_an_app(own_app):
    here, moved = own_app(asgi_app(), module="here"), own_app(asgi_app(status=302), module="moved")
    with server() as (port, _):
        there = remote_target(f"there=http://127.0.0.1:{port}")
        [note] = probed([there, here], "/").notes
        assert note.fields["text"] == "only in A: hello; only in B: message"
        with pytest.raises(NotReadyError, match="different statuses: 200 and 302"):
            probed([there, moved], "/")
    with pytest.raises(LaunchError, match="cannot reach"):
        probed([there, here], "/")
