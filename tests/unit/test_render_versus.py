"""What ``harness versus`` says in words."""

from harness.render.versus import listed_packages


def test_packages_that_both_sides_have_come_first_and_the_rest_is_counted():
    packages = {f"p{n:02d}": ("none", "1.0") for n in range(20)} | {"starlette": ("0.47.3", "0.40.0")}
    listed = listed_packages(packages)
    assert listed.startswith("starlette 0.47.3 against 0.40.0, p00 none against 1.0, ")
    assert listed.endswith("p06 none against 1.0, and 13 more")


def test_a_single_package_is_all():
    assert listed_packages({"starlette": ("1.0", "1.1")}) == "starlette 1.0 against 1.1"
