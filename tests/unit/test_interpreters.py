"""Several interpreters in one run: which targets are compared, and what they are called."""

from dataclasses import replace

from harness.config import load_declarations
from harness.model import Point, Scenario, Side, Target
from harness.plan.contrasts import declared_contrasts, with_twin
from harness.prepare.choose import under_each
from harness.report.names import display_names

FLASK = Target("flask-gunicorn", "flask", "wsgi", "gunicorn", "app:app", endpoints=("*",), reference=True)
OTHER = replace(FLASK, name="flask-granian", server="granian", reference=False)


def under(target, word, reference=False):
    return replace(target, name=f"{target.name}-{word}", under=target.name, python=f"/{word}", reference=reference)


TARGETS = tuple(
    under(target, word, word == "cpython3.13.0" and target is FLASK)
    for word in ("cpython3.13.0", "cpython3.14.0t")
    for target in (FLASK, OTHER)
)


def test_each_target_is_compared_with_itself_under_the_other_interpreter_and_with_no_other():
    scenario = Scenario("json", "Small JSON", "pick", "", (), (16,))
    point = Point("json@16", "json", {}, 16, ())
    found = declared_contrasts(with_twin(TARGETS), [scenario], [point], ())
    pairs = {(one.a, one.b) for one in found if one.metric == "cpu_cost" and not one.label.startswith("A/A")}
    assert pairs == {
        tuple(Side(f"{name}-{word}", "json@16") for word in ("cpython3.14.0t", "cpython3.13.0"))
        for name in ("flask-gunicorn", "flask-granian")
    }


def test_the_name_of_each_says_its_interpreter():
    assert display_names(TARGETS) == {
        "flask-gunicorn-cpython3.13.0": "Flask on Gunicorn (cpython3.13.0)",
        "flask-gunicorn-cpython3.14.0t": "Flask on Gunicorn (cpython3.14.0t)",
        "flask-granian-cpython3.13.0": "Flask on Granian (cpython3.13.0)",
        "flask-granian-cpython3.14.0t": "Flask on Granian (cpython3.14.0t)",
    }


def test_every_declared_target_has_a_name_for_sentences():
    names = display_names(load_declarations().targets)
    assert [target for target, name in names.items() if target == name] == []


def test_without_a_choice_every_target_has_its_own_interpreter():
    assert under_each((), (FLASK, OTHER)) == (FLASK, OTHER)
