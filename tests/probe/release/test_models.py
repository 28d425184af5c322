"""Release models: closed forms, what they become in special cases, and the exponent's meaning."""

import numpy as np
import pytest

from lampyris.probe.release import MODELS, exponent_meaning, model_named
from lampyris.probe.release.models import starting_parameters

HOURS = np.array([0.0, 0.5, 1.0, 4.0, 9.0, 30.0])


def curve(name, *parameters):
    return model_named(name).curve(HOURS, np.array(parameters, dtype=float))


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [
        ("zero-order", (5.0, 100.0), [0, 2.5, 5, 20, 45, 100]),
        ("first-order", (np.log(2), 100.0), [0, 100 * (1 - 2**-0.5), 50, 93.75, 100 * (1 - 2**-9.0), 100 * (1 - 2**-30.0)]),
        ("higuchi", (30.0, 100.0), [0, 30 * 0.5**0.5, 30, 60, 90, 100]),
        ("weibull", (4.0, 1.0, 80.0), 80 * (1 - np.exp(-HOURS / 4))),
        ("hixson-crowell", (0.1, 100.0), [0, 100 * (1 - 0.95**3), 27.1, 78.4, 99.9, 100]),
        ("hopfenberg", (0.1, 2.0, 100.0), [0, 9.75, 19, 64, 99, 100]),
        ("burst-sustained", (0.25, 2.0, 0.0, 100.0), 25 * (1 - np.exp(-2 * HOURS))),
        ("korsmeyer-peppas", (20.0, 0.5), 20 * np.sqrt(HOURS)),
        ("peppas-sahlin", (10.0, 3.0, 0.5), 10 * np.sqrt(HOURS) + 3 * HOURS),
    ],
)  # fmt: skip
def test_closed_forms(name, parameters, expected):
    assert curve(name, *parameters) == pytest.approx(np.array(expected), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("general", "special"),
    [
        (curve("hopfenberg", 0.05, 3.0, 100.0), curve("hixson-crowell", 0.05, 100.0)),
        (curve("hopfenberg", 0.05, 1.0, 100.0), curve("zero-order", 5.0, 100.0)),
        (curve("weibull", 5.0, 1.0, 100.0), curve("first-order", 0.2, 100.0)),
        (curve("korsmeyer-peppas", 10.0, 0.5), curve("higuchi", 10.0, 1e9)),
        (curve("burst-sustained", 0.4, 0.2, 0.2, 100.0), curve("first-order", 0.2, 100.0)),
    ],
)
def test_special_cases_coincide(general, special):
    assert general == pytest.approx(special, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("model", MODELS, ids=lambda one: one.name)
def test_every_model_starts_at_nothing_and_is_cited(model):
    seen = np.array([10.0, 15.0, 40.0, 60.0, 80.0])
    start = starting_parameters(model, HOURS[1:], seen)
    assert tuple(one.name for one in start) == model.parameters
    assert len(model.units) == len(model.parameters)
    values = model.curve(HOURS, np.array([one.start for one in start]))
    assert values[0] == 0
    assert np.isfinite(values).all()
    assert "doi:" in model.reference


@pytest.mark.parametrize(
    ("low", "high", "shape", "said"),
    [
        (0.42, 0.44, "sphere", "Fickian diffusion"),
        (0.44, 0.46, "cylinder", "Fickian diffusion"),
        (0.55, 0.70, "sphere", "anomalous transport"),
        (0.95, 1.05, "film", "anomalous transport or case II transport: the interval does not tell"),
        (0.99, 1.05, "film", "case II transport"),
        (0.20, 0.30, "sphere", "less than Fickian (a burst, or carriers of several sizes)"),
        (0.10, 1.20, "sphere", "does not tell"),
        (float("nan"), 0.5, "sphere", "unknown"),
    ],
)
def test_the_exponent_has_the_meaning_of_its_shape(low, high, shape, said):
    assert said in exponent_meaning(low, high, shape=shape)


def test_no_such_model():
    with pytest.raises(KeyError, match="weibull"):
        model_named("gompertz")
