"""The methods text names every parameter: changing any of them changes the text."""

import pytest
from small_study import SETTINGS

from lampyris.core.settings import AnalysisOptions, Instrument, StudySettings
from lampyris.core.study import RunRecord
from lampyris.io.settings import read_settings
from lampyris.study.methods import REFERENCES, methods_text

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


def test_every_reference_is_cited_and_every_citation_listed(settings):
    *paragraphs, listed = methods_text(settings, RECORD)
    text = " ".join(paragraphs)
    for reference in REFERENCES:
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
