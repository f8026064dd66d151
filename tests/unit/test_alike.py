import pytest

from harness.verify.alike import difference_of


@pytest.mark.parametrize(
    ("a", "b", "told"),
    [
        (['{"x": 1}'] * 2, ['{"x": 1}'] * 2, ""),
        (['{"x": 1, "at": 1}', '{"x": 1, "at": 2}'], ['{"x": 1, "at": 3}'] * 2, "changing from reply to reply: at"),
        (['{"x": {"y": 1}}'] * 2, ['{"x": {"y": 2}}'] * 2, "different on the two sides: x.y"),
        (['[{"id": 1}, {"id": 2}]'] * 2, ['[{"id": 1}]'] * 2, "different on the two sides: []"),
        (['{"x": 1}'] * 2, ['{"y": 1, "z": []}'] * 2, "only in A: x; only in B: y, z"),
        (['{"x": 1}'] * 2, ['{"x":1}'] * 2, "other white space or order"),
        (["<p>1</p>", "<p>10</p>"], ["<p>2</p>"] * 2, "8 or 9 bytes in A, 8 in B"),
        (['{"a":1,"b":1,"c":1,"d":1,"e":1}'], ["{}"], "only in A: a, b, c, d and 1 more; only in B: all"),
    ],
)
def test_what_a_reader_must_know_of_replies_that_differ(a, b, told):
    assert difference_of([each.encode() for each in a], [each.encode() for each in b]) == told
