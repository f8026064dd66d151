"""Every word of the report is in the language files, which agree with each other and with what uses them."""

import ast
import re
import tomllib
from pathlib import Path
from string import Formatter

import pytest

from harness.engine.soundness import MACHINE_LIMITS
from harness.errors import UsageError
from harness.model.reason import Reason
from harness.report.language.catalogue import ENGLISH, Language, language, languages, with_particle
from harness.report.numbers import Figure, plain
from harness.report.report import render_report
from harness.report.sentences import duration
from harness.results.summarise import summarise
from harness.session.instruments import UNCOUNTED, UNSAMPLED
from harness.session.validity import MACHINE_GATES, UNSTEADY
from tests.synthetic import make_run
from tests.unit.summaries import Numbers, manifest, summary

REPORT = Path(__file__).parents[2] / "harness" / "report"
SOURCES = [path for path in (*REPORT.rglob("*.py"), *REPORT.rglob("*.j2")) if "language" not in path.parts]
KEY = r"[a-z_]+\.[a-z_0-9-]+"


def fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def one(text):
    return Language("xx", {"key": text})


NO_TEXTS = {"windows.jsonl", "latency.count", "latency.p50_us", "latency.p99_us"}
"""A file, and figures of a study's row."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_text_that_is_asked_for_is_there(path):
    rooms = "|".join(sorted({key.partition(".")[0] for key in ENGLISH.texts}))
    asked = re.findall(rf'["\']((?:{rooms})\.[a-z_0-9-]+)["\']', path.read_text("utf-8"))
    assert {key for key in asked if key not in ENGLISH.texts and key not in NO_TEXTS} == set()


@pytest.mark.parametrize("code", languages())
def test_a_language_has_no_key_and_no_field_of_its_own(code):
    for key, text in language(code).texts.items():
        if not key.startswith("known."):
            assert fields(text) <= fields(ENGLISH.texts[key]), key


def test_korean_says_almost_everything():
    """A text that was added lately may still be missing: it is shown in English."""
    own = tomllib.loads((REPORT / "language" / "ko.toml").read_text("utf-8"))
    there = {f"{room}.{key}" for room, texts in own.items() for key in texts}
    missing = [key for key in ENGLISH.texts if key not in there]
    assert len(missing) < 0.2 * len(ENGLISH.texts), missing


def test_a_korean_page_has_korean_sentences_and_the_same_numbers():
    korean = render_report(manifest(), summary(), (), language=language("ko"))
    english = render_report(manifest(), summary(), ())
    assert '<html lang="ko">' in korean
    assert "fast는 slow보다 초당 요청을" in korean
    assert "어떤 프레임워크와 서버를 고를까?" in korean
    assert not set(ENGLISH.names("questions").values()) & set(re.findall(r"<h3>([^<]*)</h3>", korean))
    assert sorted(Numbers(korean).shown) == sorted(Numbers(english).shown)


@pytest.mark.parametrize(
    ("reason", "english", "korean"),
    [
        (
            Reason("retried-windows", {"count": 4, "all": 30}),
            "4 of 30 windows had to be measured again",
            "윈도우 30개 가운데 4개를 다시 측정함",
        ),
        (
            Reason("foreign-cpu", {"share": 0.7, "limit": 0.03, "side": "fast", "windows": 2}),
            "fast: other processes used 70% of the server's CPU (limit 3%) (2 windows)",
            "fast: 다른 프로세스가 서버 CPU의 70%를 씀(한계 3%) (윈도우 2개)",
        ),
        (
            Reason("early", {"count": 200, "replies": 200, "wait_ms": 20.0, "p1_us": 400.0}),
            "200 of 200 replies came before the wait of 20 ms that they stand for was over (1st percentile 0.4 ms): "
            "the app does not wait",
            "응답 200개 중 200개가 요청한 대기 20 ms가 끝나기 전에 옴(1백분위수 0.4 ms): 실제로 기다리지 않음",
        ),
        (
            Reason("lacks", {"text": "a floor without a framework"}),
            "a floor without a framework",
            "프레임워크 없는 기준선",
        ),
        (
            Reason("lacks", {"text": "WSGI has no WebSocket"}),
            "WSGI has no WebSocket",
            "WSGI에는 WebSocket이 없음",
        ),
        (Reason("absent", {"targets": ("a", "b")}), "not measured at all: a, b", "전혀 측정하지 못함: a, b"),
        (Reason("of-an-old-run", {"text": "as it was told"}), "as it was told", "as it was told"),
        (Reason("foreign-cpu", {"text": "as it was told"}), "as it was told", "as it was told"),
        (Reason("of-nobody"), "of-nobody", "of-nobody"),
    ],
)
def test_a_reason_is_a_code_with_words_in_every_language(reason, english, korean):
    assert ENGLISH.reason(reason) == english
    assert language("ko").reason(reason) == korean


CODES = {
    ("engine/soundness.py", "kind"): MACHINE_LIMITS,
    ("results/badge.py", "f'control-{verdict}'"): ("control-small", "control-undecided", "control-not-measurable"),
    ("results/cells.py", "'not-yet-measured' if planned else 'not-planned'"): ("not-yet-measured", "not-planned"),
    ("results/compare.py", "code"): ("machines-differ", "versions-differ"),
    ("results/frames.py", "code"): ("few-rates", "lost-rates", "few-costs", "lost-costs"),
    ("serve/fleet.py", "code"): ("not-ready", "exited", "port"),
    ("session/instruments.py", "code"): (UNCOUNTED, UNSAMPLED),
    ("session/validity.py", "UNSTEADY"): (UNSTEADY,),
    ("session/validity.py", "code"): tuple(code for code, _, _ in MACHINE_GATES),
    ("verify/untouched.py", "code"): ("unexpected-reply", "no-page"),
}
"""Of each ``Reason(…)`` whose code is not written out: module and what stands in its place → its possible codes."""


def reasons_in_sources():
    """Of every ``Reason(…)`` in the sources: its module, its code as it is written there, and its fields, if any."""
    for path in sorted(REPORT.parent.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Reason":
                code, *fields = node.args
                yield path.relative_to(REPORT.parent).as_posix(), code, fields


def reasons_made():
    """Code and names of the fields of every ``Reason(…)`` in the sources."""
    for module, code, rest in reasons_in_sources():
        known = not rest or isinstance(rest[0], ast.Dict)
        keys = [key.value if key else None for key in rest[0].keys] if rest and known else []
        codes = [code.value] if isinstance(code, ast.Constant) else CODES[module, ast.unparse(code)]
        for each in codes:
            yield each, keys, known


def test_the_codes_that_are_not_written_out_are_those_listed_here():
    found = {
        (module, ast.unparse(code)) for module, code, _ in reasons_in_sources() if not isinstance(code, ast.Constant)
    }
    assert found == set(CODES)


@pytest.mark.parametrize("of", languages())
def test_every_reason_has_a_text_and_all_that_it_names(of):
    made = list(reasons_made())
    assert len(made) > 60
    for code, given, known in made:
        text = language(of).texts[f"reasons.{code}"]
        assert not known or None in given or fields(text) <= set(given), code


@pytest.mark.parametrize("of", languages())
def test_reasons_speak_one_language(of):
    own = tomllib.loads((REPORT / "language" / f"{of}.toml").read_text("utf-8"))["reasons"]
    assert set(own) == set(ENGLISH.names("reasons"))


def test_the_badges_own_reasons_are_known():
    run = make_run(blocks=3, rounds=2, retried=True, interrupted=True)
    reasons = summarise(run.manifest, run.records, run.samples).reasons
    assert len(reasons) > 2
    assert not {reason.code for reason in reasons} - set(ENGLISH.names("reasons"))


def test_durations_have_the_units_of_the_language():
    assert [duration(seconds, language("ko")) for seconds in (0.01, 5, 200, 7000)] == [
        "10 밀리초",
        "5.0 초",
        "3분 20초",
        "1시간 57분",
    ]


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
