"""Every word of the report is in the language files, which agree with each other and with what uses them."""

import re
from pathlib import Path
from string import Formatter

import pytest

from harness.errors import UsageError
from harness.render.language.catalogue import ENGLISH, Language, language, languages
from harness.render.language.particles import with_particle
from harness.render.numbers import Figure, plain

RENDER = Path(__file__).parents[2] / "harness" / "render"
SOURCES = [path for path in (*RENDER.rglob("*.py"), *RENDER.rglob("*.j2")) if "language" not in path.parts]
KEY = r"[a-z_]+\.[a-z_0-9-]+"


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def one(text):
    return Language("xx", {"key": text})


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_text_that_is_asked_for_is_there(path):
    rooms = "|".join(sorted({key.partition(".")[0] for key in ENGLISH.texts}))
    asked = re.findall(rf'["\']((?:{rooms})\.[a-z_0-9-]+)["\']', path.read_text("utf-8"))
    assert {key for key in asked if key not in ENGLISH.texts and key != "slots.jsonl"} == set()


@pytest.mark.parametrize("code", languages())
def test_a_language_has_no_key_and_no_field_of_its_own(code):
    for key, text in language(code).texts.items():
        if not key.startswith("known."):
            assert fields(text) <= fields(ENGLISH.texts[key]), key


def test_numbers_have_their_nouns():
    assert [one("{n:block|blocks}").text("key", n=n) for n in (0, 1, 2, 1200)] == [
        "0 blocks",
        "1 block",
        "2 blocks",
        "1,200 blocks",
    ]


def test_figures_stay_figures_inside_of_sentences():
    figure = Figure("12%", 1.12, "contrasts.0.ratio")
    inner = one("about {n}").say("key", n=figure)
    said = one("{a} is {inner} more").say("key", a="x", inner=inner)
    assert said == ("x is about ", figure, " more")
    assert plain(said) == "x is about 12% more"


def test_a_field_that_is_missing_is_an_error():
    with pytest.raises(KeyError):
        one("{a}").say("key")


@pytest.mark.parametrize(
    ("word", "pair", "particle"),
    [
        ("프레임워크", "은/는", "는"),
        ("대상", "은/는", "은"),
        ("fastapi-uvicorn", "이/가", "이"),
        ("flask-gunicorn-gthread", "은/는", "는"),
        ("tornado-native", "을/를", "를"),
        ("orders-full", "으로/로", "로"),
        ("대상", "으로/로", "으로"),
        ("12%", "을/를", "를"),
        ("20 ms", "과/와", "와"),
        ("3", "이/가", "이"),
        ("64", "이/가", "가"),
        ("fastapi (json)", "은/는", "은"),
        ("", "은/는", "는"),
        ("ping", "이/가", "이"),
    ],
)
def test_particles_follow_the_last_sound(word, pair, particle):
    assert with_particle(word, pair) == particle
    assert one(f"{{a:{pair}}}").text("key", a=word) == word + particle


def test_a_language_that_is_not_there_names_those_that_are():
    with pytest.raises(UsageError, match="no report in 'xx'") as error:
        language("xx")
    assert "en" in error.value.hint
