"""The methods text names every parameter: changing any of them changes the text."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
from small_study import SETTINGS

from lampyris.core.settings import AnalysisOptions, Growth, Instrument, StudySettings
from lampyris.core.study import RunRecord
from lampyris.imaging import step
from lampyris.imaging.body import register, view_labels
from lampyris.imaging.detection import background, detect, matched_filter, photometry, regions, windows
from lampyris.imaging.following import follow, kinds, localise, sightings, sources
from lampyris.imaging.following.link import LinkOptions
from lampyris.imaging.light import light_table, nominal
from lampyris.imaging.radiance import calibrate
from lampyris.imaging.radiance.unmix import mixing_matrix
from lampyris.io.settings import read_settings
from lampyris.metastasis import kinetics, spread
from lampyris.probe.probe import probe_from_settings
from lampyris.study.methods import spread as methods_spread
from lampyris.study.methods.spread import SPREAD_REFERENCES
from lampyris.study.methods.statistics import STATISTICS_REFERENCES, StatisticsDone
from lampyris.study.methods.text import REFERENCES, methods_text

RECORD = RunRecord("0.1.0", "ab" * 32, {"numpy": "2.0", "scipy": "1.16"}, {}, {}, "lampyris run .")


@pytest.fixture
def settings(tmp_path) -> StudySettings:
    (tmp_path / "study.toml").write_text(SETTINGS)
    return read_settings(tmp_path / "study.toml")


def _other(value):
    if isinstance(value, tuple):
        return (*value, 9.5)
    if isinstance(value, str):
        return value + " II"
    return value + 1 if isinstance(value, int) else value * 1.37 / 2


@pytest.mark.parametrize("name", AnalysisOptions.model_fields)
def test_every_option_is_named(settings, name):
    changed = settings.analysis.model_copy(update={name: _other(getattr(settings.analysis, name))})
    assert methods_text(settings.model_copy(update={"analysis": changed}), RECORD) != methods_text(settings, RECORD)


@pytest.mark.parametrize("name", sorted(set(Instrument.model_fields) - {"bands"}))
def test_every_number_of_the_instrument_is_named(settings, name):
    changed = settings.instrument.model_copy(update={name: _other(getattr(settings.instrument, name))})
    assert methods_text(settings.model_copy(update={"instrument": changed}), RECORD) != methods_text(settings, RECORD)


# those that only refuse an image or warn of it
REFUSALS = {"CROPPED_MM", "ACROSS_RAD", "POOR_OVERLAP", "TOUCHING_MM", "NEAR_MM"}
# how finely a fit is solved, which a finer one would not change; and places in a vector
NUMERICS = {
    "STEP",
    "ROUNDS",
    "LANDMARK_ROUNDS",
    "ALIGN_PASSES",
    "ALIGN_ROUNDS",
    "LOG_STEP",
    "MOST_STEPS",
    "TURN",
    "LENGTH",
    "WIDTH",
}
MODULES = (
    *(background, calibrate, detect, matched_filter, nominal, photometry, regions, step),
    *(register, view_labels, windows, light_table, localise, kinds, follow, sightings, sources, kinetics, spread),
)


def _is_number(value):
    if isinstance(value, tuple):
        return bool(value) and all(map(_is_number, value))
    return isinstance(value, float | int) and not isinstance(value, bool)


NUMBERS = [
    (module, name)
    for module in MODULES
    for name, value in vars(module).items()
    if re.fullmatch(r"[A-Z][A-Z0-9_]*", name)
    and _is_number(value)
    and name not in REFUSALS | NUMERICS
    # a number that another module lends is told with its owner
    and re.search(rf"(?m)^(\w+, )*{name}(, \w+)* = ", Path(module.__file__).read_text())
]


@pytest.mark.parametrize(("module", "name"), NUMBERS, ids=[f"{m.__name__.split('.')[-1]}.{n}" for m, n in NUMBERS])
def test_every_number_of_the_analysis_is_named(settings, monkeypatch, module, name):
    before = methods_text(settings, RECORD)
    value = getattr(module, name)
    other = tuple(1.5 * part + 1 for part in value) if isinstance(value, tuple) else 1.5 * value + 1
    monkeypatch.setattr(module, name, other)
    assert methods_text(settings, RECORD) != before


@pytest.mark.parametrize("name", [field.name for field in fields(LinkOptions) if field.name != "may_rise"])
def test_every_number_of_linking_is_named(settings, monkeypatch, name):
    before, value = methods_text(settings, RECORD), getattr(LinkOptions(), name)
    other = tuple(2 * part for part in value) if isinstance(value, tuple) else value / 2
    changed = replace(LinkOptions(), **{name: other})
    monkeypatch.setattr(methods_spread, "LinkOptions", lambda: changed)
    assert methods_text(settings, RECORD) != before


@pytest.mark.parametrize("kind", kinds.STAYS)
def test_how_long_every_kind_stays_is_named(settings, monkeypatch, kind):
    before = methods_text(settings, RECORD)
    monkeypatch.setattr(kinds, "STAYS", {**kinds.STAYS, kind: 0.123})
    assert methods_text(settings, RECORD) != before


def test_uptake_is_said_only_of_injected_probes(settings):
    injected = {name: group.model_copy(update={"label": "injected"}) for name, group in settings.groups.items()}
    words = "injection_days names the doses"
    assert words in " ".join(methods_text(settings.model_copy(update={"groups": injected}), RECORD))
    assert words not in " ".join(methods_text(settings, RECORD))


def test_organs_of_uptake_are_named(settings, monkeypatch):
    before = methods_text(settings, RECORD)
    monkeypatch.setattr(nominal, "UPTAKE_ORGANS", ("liver", "spleen"))
    assert methods_text(settings, RECORD) != before


def with_bands(settings, count, leakage=1.0):
    bands = (*settings.instrument.bands, settings.instrument.bands[0].model_copy(update={"channel": "b3"}))
    bands = tuple(band.model_copy(update={"leakage": leakage}) for band in bands[:count])
    instrument = settings.instrument.model_copy(update={"bands": bands})
    return settings.model_copy(update={"instrument": instrument})


@pytest.mark.parametrize(
    ("count", "leakage", "unmixed", "kept"),
    [
        (1, 1.0, "1 band gave probe by", "With 1 band tissue autofluorescence and leaked excitation could not"),
        (1, 0.0, "1 band gave probe by", "With 1 band tissue autofluorescence could not"),
        (2, 1.0, "2 bands gave probe and tissue autofluorescence by", "With 2 bands leaked excitation could not"),
        (2, 0.0, "2 bands gave probe and tissue autofluorescence by", ""),
        (3, 1.0, "3 bands gave probe, tissue autofluorescence and leaked excitation by", ""),
        (3, 0.0, "3 bands gave probe and tissue autofluorescence by", ""),
    ],
)
def test_only_what_is_unmixed_is_said_to_be(settings, count, leakage, unmixed, kept):
    text = next(
        paragraph
        for paragraph in methods_text(with_bands(settings, count, leakage), RECORD)
        if paragraph.startswith("Unmixing")
    )
    assert unmixed in text
    assert kept in text
    assert ("could not be unmixed" in text) == bool(kept)


def test_the_components_said_are_those_of_the_matrix(settings):
    probe = probe_from_settings("qd", settings.probes["qd"])
    matrix = mixing_matrix(settings.instrument, probe)
    assert matrix.shape[1] == 2
    assert "gave probe and tissue autofluorescence by" in " ".join(methods_text(settings, RECORD))


def test_both_views_are_said_only_of_two(settings):
    one, two = (" ".join(methods_text(settings, RECORD, views=count)) for count in (1, 2))
    for words in (
        "over both views",
        "brighter of its views",
        "within one view per animal",
        "look exchanged",
        "both views;",
    ):
        assert words in two
        assert words not in one


@pytest.mark.parametrize("word", ["glows", "left out of sums", "scored"])
def test_what_the_analysis_does_not_do_is_not_said(settings, word):
    assert word not in " ".join(methods_text(settings, RECORD))


def test_every_reference_is_cited_and_every_citation_listed(settings):
    *paragraphs, listed = methods_text(settings, RECORD)
    text = " ".join(paragraphs)
    for reference in (*REFERENCES, *SPREAD_REFERENCES, *STATISTICS_REFERENCES):
        assert reference in listed
        assert reference.split()[0] in text, reference


def test_text_is_plain_sentences(settings):
    for paragraph in methods_text(settings, RECORD):
        assert paragraph.endswith(".")
        assert "  " not in paragraph
        assert "None" not in paragraph


def test_simulated_images_are_said(settings):
    simulated = settings.model_copy(update={"study": settings.study.model_copy(update={"synthetic": True})})
    assert "The images were simulated, not recorded." in methods_text(simulated, RECORD)[0]
    assert "simulated" not in methods_text(settings, RECORD)[0]


def test_a_stated_growth_is_repeated_as_stated(settings):
    nothing = " ".join(methods_text(settings, RECORD))
    assert "No number of cells at present" in nothing
    growth = Growth(model="logistic", doubling_days=2.5, doubling_log_sd=0.3, capacity_cells=1e8)
    stated = " ".join(methods_text(settings.model_copy(update={"growth": growth}), RECORD))
    assert "logistic, doubling in 2.5 days" in stated and "1e+08 cells" in stated


@pytest.mark.parametrize(
    ("done", "said", "not_said"),
    [
        (
            StatisticsDone((), (), False, "", "", False, (), ()),
            "",
            "Statistics.|Courses|Onset of|Relations.|Multiplicity|Welch|Turnbull|Holm",
        ),
        (
            StatisticsDone(("flux",), (), False, "described", "described", False, (), ()),
            "The endpoint was the decimal logarithm|no test between them was made|no model was fitted|Arms were not tested",
            "Welch|Kenward|Finkelstein|Relations.|Multiplicity|day 0|Tobin|organs were",
        ),
        (
            StatisticsDone(("flux", "burden"), ("measured",), False, "", "tested", True, ("alone",), ("endpoints", "organs")),
            "Welch 1951|Finkelstein 1986|seen on day 0|one labelled arm|comparisons, and onset in any organ|of their own",
            "Courses over days|Tobin|means removed|Peto|its ratio to|single arms of",
        ),
        (
            StatisticsDone(("flux",), ("likelihood",), True, "tested", "", False, ("within",), ("relations",)),
            "Tobin 1958|Kenward|means removed",
            "Welch 1951|rank test|Onset of|above what stands there",
        ),
    ],
    ids=["nothing", "described", "tested in part", "limits"],
)  # fmt: skip
def test_only_what_was_done_is_described(settings, done, said, not_said):
    text = " ".join(methods_text(settings, RECORD, done=done))
    assert [words for words in said.split("|") if words and words not in text] == []
    assert [words for words in not_said.split("|") if words in text] == []
    assert "  " not in text and ".." not in text
