"""Growth of a batch: the laws of ripening, focusing, matter, nucleation, aliquots, and the command."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris import cli
from lampyris.core.errors import InputError
from lampyris.probe.growth import Batch, Injection, Kinetics, advice, fit_aliquots, grow, kinetics_of, ripening_exponent
from lampyris.probe.growth.batch import AVOGADRO_PER_NM3
from lampyris.probe.growth.laws import (
    diffusion_ripening_rate,
    lsw_distribution,
    reaction_ripening_rate,
    wagner_distribution,
)
from lampyris.probe.growth.population import growth_rate, nucleation_rate
from lampyris.probe.growth.routes import routes

T = 573.15
# capillary length far below the radii, as the laws of ripening take it
IDEAL = {
    "diffusion": (Kinetics("x", 0.05, 0.02, 1e-12, 1e9, 0.5), 3, diffusion_ripening_rate, lsw_distribution, 1.5),
    "reaction": (Kinetics("x", 0.05, 0.02, 1e-3, 1e-7, 0.5), 2, reaction_ripening_rate, wagner_distribution, 2.0),
}


@pytest.fixture(scope="module")
def cdse():
    return kinetics_of("CdSe")[0]


@pytest.mark.parametrize("limit", IDEAL)
def test_ripening_follows_its_law(limit):
    kinetics, power, rate_of, density, top = IDEAL[limit]
    u = (np.arange(2500) + 0.5) / 2500 * top
    weights = density(u)
    keep = weights > 1e-9 * weights.max()
    u, weights = u[keep], weights[keep] / weights[keep].sum()
    number = 1e-3 / (4 / 3 * np.pi * np.sum(weights * (5 * u) ** 3)) / AVOGADRO_PER_NM3 * 1e9
    monomer = kinetics.solubility_mmol_l * (1 + kinetics.capillary_nm(T) / 5)
    batch = Batch(monomer, T - 273.15, seeds=tuple(zip(5 * u, weights * number, strict=True)))
    scale = 5.0**power / rate_of(kinetics, T)
    course = grow(batch, kinetics, np.linspace(1.5, 8, 14) * scale, nucleation=False, linear=True, dissolves_at_nm=0.1)
    exponent = ripening_exponent(course.time_s, course.diameter_nm / 2, start=power)
    assert exponent.value == pytest.approx(power, rel=0.02)
    rate = np.polyfit(course.time_s, (course.critical_nm / 2) ** power, 1)[0]
    # 2500 classes at the start: a few hundred are left
    assert rate == pytest.approx(rate_of(kinetics, T), rel=0.025)
    x = np.linspace(0, top, 20001)[:-1]
    p = density(x)
    mean = np.trapezoid(x * p, x)
    spread = np.sqrt(np.trapezoid((x - mean) ** 2 * p, x)) / mean
    assert np.median(course.spread) == pytest.approx(spread, rel=0.03)


def seeds(radius, sd, total_nmol_l):
    at = radius + sd * np.linspace(-3, 3, 31)
    weights = np.exp(-0.5 * np.linspace(-3, 3, 31) ** 2)
    return tuple(zip(at, total_nmol_l * weights / weights.sum(), strict=True))


def test_focusing_then_ripening(cdse):
    batch = Batch(30.0, 300.0, seeds=seeds(1.5, 0.15, 10_000))
    course = grow(batch, cdse, np.geomspace(1, 3e5, 40), nucleation=False)
    told = advice(course)
    assert course.spread[0] == pytest.approx(0.1, abs=0.01)
    assert told.spread < 0.6 * course.spread[0]
    assert told.stop_s < told.ripens_from_s
    assert course.spread[-1] > 2 * told.spread
    assert course.number_nmol_l[-1] < course.number_nmol_l[0]


@settings(max_examples=12, deadline=None)
@given(
    monomer=st.floats(1, 200),
    temperature=st.floats(180, 340),
    added=st.floats(0, 50),
    radius=st.floats(0.8, 3),
)
def test_matter_is_kept_whatever_is_done(monomer, temperature, added, radius):
    kinetics = kinetics_of("CdSe")[0]
    batch = Batch(
        monomer, temperature, seeds=((radius, 500.0), (1.3 * radius, 100.0)), injections=(Injection(20.0, added),)
    )
    course = grow(batch, kinetics, [5.0, 60.0, 600.0])
    in_crystal = course.end.volume() / kinetics.monomer_nm3 / AVOGADRO_PER_NM3 * 1e3
    seeded = sum(n * 4 / 3 * np.pi * r**3 for r, n in batch.seeds) / kinetics.monomer_nm3 * 1e-6
    assert course.monomer_mmol_l[-1] + in_crystal == pytest.approx(monomer + added + seeded, rel=1e-9)
    assert (course.monomer_mmol_l >= 0).all()


def test_finer_steps_change_nothing_that_is_told(cdse, monkeypatch):
    from lampyris.probe.growth import population

    times = [30.0, 300.0]
    coarse = grow(Batch(60.0, 300.0), cdse, times)
    monkeypatch.setattr(population, "STEP_TOLERANCE", 2e-5)
    fine = grow(Batch(60.0, 300.0), cdse, times)
    # classes of nuclei follow the steps, so both change
    np.testing.assert_allclose(coarse.diameter_nm, fine.diameter_nm, rtol=5e-3)


def test_limits_of_the_growth_law(cdse):
    diffusion, reaction, solubility = cdse.at(T)
    slow_surface = Kinetics("x", 0.05, 0.125, 1.0, 1e-9, 0.5)
    fast_surface = Kinetics("x", 0.05, 0.125, 1e-15, 1e6, 0.5)
    far = np.array([50.0, 100.0])
    # at high supersaturation the speed does not depend on the radius, or falls with it
    one = growth_rate(far, 1.0, slow_surface, T)
    other = growth_rate(far, 1.0, fast_surface, T)
    assert one[0] / one[1] == pytest.approx(1.0, rel=1e-3)
    assert other[0] / other[1] == pytest.approx(2.0, rel=1e-3)
    critical = cdse.capillary_nm(T) / np.log(5.0)
    assert growth_rate(critical, 5.0 * solubility, cdse, T) == pytest.approx(0.0, abs=1e-9)
    assert diffusion > 0 and reaction > 0


def test_nucleation_needs_supersaturation(cdse):
    solubility = cdse.at(T)[2]
    assert nucleation_rate(0.9 * solubility, cdse, T) == (0.0, np.inf)
    rates = [nucleation_rate(s * solubility, cdse, T)[0] for s in (5.0, 50.0, 500.0)]
    assert rates[0] < rates[1] < rates[2]


def test_aliquots_give_speed_and_solubility_back(cdse):
    from lampyris.probe.growth.batch import scaled

    truth = scaled(cdse, {"diffusion_m2_s": 2.0, "reaction_m_s": 2.0, "solubility_mmol_l": 0.7})
    batch = Batch(30.0, 300.0, seeds=((1.4, 3000.0), (1.6, 3000.0)))
    time = np.array([10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0])
    rng = np.random.default_rng(1)
    size = grow(batch, truth, time, nucleation=False).diameter_nm + rng.normal(0, 0.02, time.size)
    found = fit_aliquots(batch, cdse, time, size, np.full(time.size, 0.02), nucleation=False)
    assert found.speed.low < 2.0 < found.speed.high
    assert found.solubility.low < 0.7 < found.solubility.high
    assert found.speed.high / found.speed.low < 1.5
    with pytest.raises(ValueError, match="3 are needed"):
        fit_aliquots(batch, cdse, time[:2], size[:2], [0.02, 0.02])


def test_impossible_batches_are_refused():
    with pytest.raises(InputError) as caught:
        Batch(-1.0, 900.0, injections=(Injection(-5.0, 1.0),))
    named = " ".join(one.seen for one in caught.value.findings)
    assert all(word in named for word in ("monomer_mmol_l", "temperature_c", "injections.time_s"))
    with pytest.raises(ValueError, match="must rise"):
        grow(Batch(1.0, 300.0), kinetics_of("CdSe")[0], [2.0, 1.0])


def test_a_batch_that_stays_clear_says_so(cdse):
    course = grow(Batch(0.1, 300.0), cdse, [10.0, 100.0])
    assert np.isnan(course.diameter_nm).all()
    assert np.isnan(advice(course).stop_s)


def test_every_route_has_its_source():
    names = {one.name for one in routes()}
    assert {"hot injection", "sol-gel", "electrochemical", "molecular beam epitaxy", "plasma"} <= names
    assert all(one.source and one.choose_when and one.avoid_when for one in routes())
    assert [one.name for one in routes(material="si")] == ["plasma"]


def test_the_command(capsys, tmp_path):
    plot = tmp_path / "a.svg"
    words = ["probe", "growth", "CdSe", "--minutes", "30", "--draws", "4", "--json", "--plot", str(plot)]
    assert cli.main(words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["stop_diameter_nm"] > 2
    assert "assumed" in document["notes"][0]
    assert "diameter (nm)" in "".join(ET.fromstring(plot.read_bytes()).itertext())
    assert cli.main(["probe", "routes", "--material", "InAs", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["routes"]) == 2


def test_aliquots_from_a_table(capsys, tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("time_min,diameter_nm,sd_nm\n0.5,3.5,0.1\n1,4.4,0.1\n2,5,0.1\n4,5.3,0.1\n")
    words = [
        "probe",
        "growth",
        "CdSe",
        "--monomer",
        "30",
        "--seeds",
        "3:0.3:10",
        "--no-nucleation",
        "--aliquots",
        str(table),
    ]
    assert cli.main([*words, "--draws", "2"]) == 0
    assert "Aliquots ask for" in capsys.readouterr().out
    table.write_text("time_min,diameter_nm,sd_nm\n0.5,many,0.1\n2,4.4,0.1\n")
    assert cli.main(words) == 3
    assert "row 2" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--seeds", "3:9:1"], ["--inject", "5"], ["--minutes", "0"], ["--draws", "-1"]])
def test_wrong_words_are_refused(capsys, words):
    assert cli.main(["probe", "growth", "CdSe", *words]) == 2
