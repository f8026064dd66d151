from harness.engine.wire import wire_request
from harness.model import PlannedRequest, RawRequest
from harness.verify import case_of


def head(*headers, content=""):
    raw = RawRequest("POST", "/", headers, content)
    return wire_request(case_of(PlannedRequest("", "own", raw=raw)), "127.0.0.1:1").data.decode().lower()


def test_a_header_that_the_user_gives_is_sent_once():
    assert head().count("host: 127.0.0.1:1\r\n") == head().count("content-length: 0\r\n") == 1
    given = head(("host", "shop.example"), ("CONTENT-LENGTH", "2"), content="ab")
    assert given.count("host:") == given.count("host: shop.example\r\n") == 1
    assert given.count("content-length:") == 1
