"""Growth of a batch: the laws of ripening, focusing, matter, nucleation, aliquots, and the command."""

import json
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lampyris import cli
from lampyris.core.constants import AVOGADRO_PER_NM3
from lampyris.core.errors import InputError
from lampyris.probe.growth import (
    Aliquots,
    Batch,
    Injection,
    Kinetics,
    advice,
    advice_range,
    drawn_courses,
    fit_aliquots,
    grow,
    kinetics_of,
    ripening_exponent,
    stepping,
)
from lampyris.probe.growth.laws import (
    diffusion_ripening_rate,
    lsw_distribution,
    reaction_ripening_rate,
    wagner_distribution,
)
from lampyris.probe.growth.peaks import first_peaks
from lampyris.probe.growth.population import _constants, growth_rate, nucleation_rate
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


@settings(max_examples=10, deadline=None)
@given(
    monomer=st.floats(1, 200),
    knots=st.lists(st.floats(150, 340), min_size=1, max_size=4),
    added=st.floats(0, 50),
    radius=st.floats(0.8, 3),
    conversion=st.sampled_from([0.0, 5.0, 200.0]),
)
def test_every_addition_is_counted_and_nothing_falls_below_nothing(monomer, knots, added, radius, conversion):
    # what is free is what was put in less what is bound: the sum shows that each addition counts, not that it is eaten rightly,
    # which the independent solver below tells
    kinetics = kinetics_of("CdSe")[0]
    seeded = ((radius, 500.0), (1.3 * radius, 100.0))
    profile = tuple((30.0 * k, temperature) for k, temperature in enumerate(knots))
    injected = (Injection(20.0, added),)
    batch = Batch(monomer, 300.0, seeds=seeded, injections=injected, profile=profile, conversion_s=conversion)
    course = grow(batch, kinetics, [5.0, 60.0, 200.0])
    in_crystal = course.end.volume() / kinetics.monomer_nm3 / AVOGADRO_PER_NM3 * 1e3
    there = sum(n * 4 / 3 * np.pi * r**3 for r, n in seeded) / kinetics.monomer_nm3 * 1e-6
    total = course.monomer_mmol_l[-1] + course.precursor_mmol_l[-1] + in_crystal
    assert total == pytest.approx(monomer + added + there, rel=1e-9)
    assert (course.monomer_mmol_l >= 0).all() and (course.end.number_per_nm3 > 0).all()


def independent(batch, kinetics, times, *, nucleation=False):
    """Radii and free monomer as states of their own, by an implicit solver: matter is not closed by construction here."""
    from scipy.integrate import solve_ivp

    radii, numbers = np.array(batch.seeds).T
    numbers = numbers * 1e-9 * AVOGADRO_PER_NM3

    def rates(time, state):
        cubes, monomer, precursor = state[:-2], state[-2], state[-1]
        r = np.cbrt(cubes)
        cube_rate = 3 * r**2 * growth_rate(r, monomer, kinetics, batch.temperature_k(time))
        converted = precursor / batch.conversion_s
        eaten = 4 / 3 * np.pi * np.sum(numbers * cube_rate) / kinetics.monomer_nm3
        return np.concatenate([cube_rate, [converted - eaten, -converted]])

    start = np.concatenate([radii**3, [0.0, batch.monomer_mmol_l * 1e-3 * AVOGADRO_PER_NM3]])
    found = solve_ivp(rates, (0, times[-1]), start, "LSODA", t_eval=times, rtol=1e-9, atol=1e-13, max_step=5.0)
    mean = (numbers[:, None] * np.cbrt(found.y[:-2])).sum(0) / numbers.sum()
    return 2 * mean, found.y[-2] / AVOGADRO_PER_NM3 * 1e3


def test_an_independent_solver_agrees(cdse, monkeypatch):
    from lampyris.probe.growth import population

    batch = Batch(
        20.0, 300.0, seeds=((1.4, 5000.0), (1.7, 5000.0)), profile=((0.0, 300.0), (60.0, 240.0)), conversion_s=30.0
    )
    times = np.array([10.0, 40.0, 100.0, 200.0])
    size, monomer = independent(batch, cdse, times)
    errors = []
    for tolerance in (2e-4, 2e-5):
        monkeypatch.setattr(population, "STEP_TOLERANCE", tolerance)
        course = grow(batch, cdse, times, nucleation=False)
        errors.append(np.abs(course.diameter_nm / size - 1).max())
        # what is free is a small rest of what was added, and lags behind its supply by a step
        np.testing.assert_allclose(course.monomer_mmol_l, monomer, rtol=2e-3)
    # far below what aliquots tell, and falling with the bound on a step
    assert errors[0] < 5e-5 and errors[1] < 0.5 * errors[0]


def test_compiled_laws_are_those_that_are_stated(cdse):
    constants = _constants(Batch(1.0, 300.0), cdse, linear=False, dissolves_at_nm=0.25)
    radii, out = np.array([0.3, 1.0, 3.0, 10.0]), np.empty(4)
    for temperature in (450.0, T):
        for monomer in (1e-5, 1e-3, 0.05):
            stepping.speeds(radii**3, monomer, constants, temperature, out)
            np.testing.assert_allclose(out, 3 * radii**2 * growth_rate(radii, monomer, cdse, temperature), rtol=1e-12)
            rate, radius = stepping.nuclei(monomer, constants, temperature)
            stated = nucleation_rate(monomer, cdse, temperature)
            assert rate == pytest.approx(stated[0], rel=1e-10)
            if np.isfinite(radius):
                assert radius == pytest.approx(max(stated[1], 1.01 * stepping.LEAST_NM))


def test_ripening_does_not_come_down_to_a_handful(cdse, monkeypatch):
    from lampyris.probe.growth import population

    times = [300.0, 1500.0]
    batch = Batch(60.0, 300.0)
    usual = grow(batch, cdse, times)
    monkeypatch.setattr(population, "FEWEST", 400)
    fine = grow(batch, cdse, times)
    monkeypatch.setattr(population, "FEWEST", 0)
    never = grow(batch, cdse, times)
    assert usual.end.radius_nm.size >= 200 > never.end.radius_nm.size
    np.testing.assert_allclose(usual.diameter_nm, fine.diameter_nm, rtol=5e-3)
    np.testing.assert_allclose(usual.spread, fine.spread, rtol=0.04)


def test_a_second_injection_focuses_again(cdse):
    seeded = seeds(1.5, 0.15, 10_000)
    times = [300.0, 1e5, 1e5 + 600.0]
    once = grow(Batch(10.0, 300.0, seeds=seeded), cdse, times, nucleation=False)
    again = grow(Batch(10.0, 300.0, seeds=seeded, injections=(Injection(1e5, 20.0),)), cdse, times, nucleation=False)
    assert once.spread[1] > 1.5 * once.spread[0]
    assert again.spread[1] == pytest.approx(once.spread[1])
    assert again.spread[2] < 0.8 * again.spread[1] and again.diameter_nm[2] > again.diameter_nm[1]


def test_precursors_focus_where_monomer_at_once_does_not(cdse):
    times = np.geomspace(1, 3600, 40)
    slow, fast = (advice(grow(Batch(60.0, 300.0, conversion_s=s), cdse, times)) for s in (200.0, 0.0))
    assert slow.spread < 0.9 * fast.spread
    assert slow.stop_s < slow.ripens_from_s and not slow.still_narrowing


def test_temperatures_follow_their_lines():
    batch = Batch(1.0, 300.0, profile=((10.0, 300.0), (20.0, 200.0)))
    assert [batch.temperature_k(t) - 273.15 for t in (0, 10, 15, 99)] == pytest.approx([300, 300, 250, 200])
    cooled = Batch(1.0, 300.0, cool_to_c=100.0, cooling_s=60.0)
    for t in (0.0, 31.0, 200.0):
        assert cooled.temperature_k(t) - 273.15 == pytest.approx(100 + 200 * np.exp(-t / 60), abs=0.2)


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
    found = fit_aliquots(batch, cdse, Aliquots(time, size, np.full(time.size, 0.02)), nucleation=False)
    assert found.speed.low < 2.0 < found.speed.high
    assert found.solubility.low < 0.7 < found.solubility.high
    assert found.speed.high / found.speed.low < 1.5 and found.conversion is None
    # order does not matter, and two aliquots may be of one time
    mixed = np.r_[np.arange(time.size)[::-1], 0]
    again = fit_aliquots(batch, cdse, Aliquots(time[mixed], size[mixed], np.full(8, 0.02)), nucleation=False)
    assert again.speed.value == pytest.approx(found.speed.value, rel=0.05)
    with pytest.raises(ValueError, match="3 are needed"):
        Aliquots(time[:2], size[:2], [0.02, 0.02])
    with pytest.raises(ValueError, match="above 0"):
        Aliquots(time, -size, np.full(7, 0.02))


def test_aliquots_give_the_precursor_back(cdse):
    from dataclasses import replace

    truth = Batch(30.0, 300.0, seeds=((1.4, 3000.0), (1.6, 3000.0)), conversion_s=120.0)
    time = np.array([10.0, 30.0, 60.0, 120.0, 300.0, 900.0])
    course = grow(truth, cdse, time, nucleation=False)
    rng = np.random.default_rng(2)
    read = Aliquots(
        time,
        course.diameter_nm + rng.normal(0, 0.01, 6),
        np.full(6, 0.01),
        np.r_[course.sd_nm[:5], np.nan],
        np.full(6, 0.02),
    )
    started = replace(truth, conversion_s=200.0)
    found = fit_aliquots(started, cdse, read, nucleation=False, conversion=True)
    assert found.conversion.low < 0.6 < found.conversion.high < 0.8
    assert found.batch.conversion_s == pytest.approx(120, rel=0.1)


def test_impossible_batches_are_refused():
    with pytest.raises(InputError) as caught:
        Batch(
            -1.0, 900.0, seeds=((0.0, 1.0),), injections=(Injection(-5.0, 1.0),), profile=((5.0, 20.0), (5.0, 700.0)),
            cool_to_c=20.0, conversion_s=-1.0,
        )  # fmt: skip
    named = " ".join(one.seen for one in caught.value.findings)
    wanted = (
        "monomer_mmol_l temperature_c injections.time_s seeds.radius_nm profile.temperature_c conversion_s rises both"
    )
    assert all(word in named for word in wanted.split())
    with pytest.raises(ValueError, match="must rise"):
        grow(Batch(1.0, 300.0), kinetics_of("CdSe")[0], [2.0, 1.0])


def test_a_batch_that_stays_clear_says_so(cdse):
    course = grow(Batch(0.1, 300.0), cdse, [10.0, 100.0])
    assert np.isnan(course.diameter_nm).all()
    assert np.isnan(advice(course).stop_s)
    kinetics, told = kinetics_of("InP")
    rng = np.random.default_rng(0)
    over = advice_range(drawn_courses(Batch(0.1, 300.0), kinetics, told, [10.0, 100.0], draws=3, rng=rng))
    assert (over.without_dots, over.draws) == (3, 3) and np.isnan(over.stop_s.value)


def test_peaks_go_with_sizes():
    peak, low, high = first_peaks("CdSe", [3.0, 4.0, np.nan, 90.0], [2.9, 3.8, np.nan, 80.0], [3.1, 99.0, np.nan, 99.0])
    assert peak[0] < peak[1] and np.isnan(peak[2:]).all()
    # the upper end of the second lies beyond the curve
    assert low[1] < peak[1] and np.isnan(high[1])
    assert np.isnan(first_peaks("ZnO", [3.0], [2.9], [3.1])[0]).all()


def test_every_route_has_its_source():
    names = {one.name for one in routes()}
    assert {"hot injection", "sol-gel", "electrochemical", "molecular beam epitaxy", "plasma"} <= names
    assert all(one.source and one.figures_source and one.choose_when and one.avoid_when for one in routes())
    assert {"aqueous colloidal", "heating up"} <= names
    assert [one.name for one in routes(material="si")] == ["plasma"]


def test_the_command(capsys, tmp_path):
    plot = tmp_path / "a.svg"
    words = ["probe", "growth", "CdSe", "--minutes", "30", "--draws", "4", "--plot", str(plot)]
    assert cli.main([*words, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["stop_diameter_nm"] > 2
    assert document["range"]["diameter_nm"]["low"] < document["range"]["diameter_nm"]["high"]
    assert "assumed" in document["notes"][0]
    last = {name: document[name][-1] for name in document if name.startswith("first_exciton")}
    assert 450 < last["first_exciton_nm"] < 680
    drawn = "".join(ET.fromstring(plot.read_bytes()).itertext())
    for words_drawn in ("diameter (nm)", "sd / mean (%)", "time (min)", "95 % of 4 draws", "CdSe, 300 °C"):
        assert words_drawn in drawn
    assert cli.main(words) == 0
    assert "over the draws: after" in capsys.readouterr().out
    assert cli.main(["probe", "routes", "--material", "InAs", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["routes"]) == 2
    assert cli.main(["probe", "routes", "--material", "cheese"]) == 2


def test_the_command_of_a_clear_flask_and_a_material_without_constants(capsys, tmp_path):
    words = ["probe", "growth", "InP", "--monomer", "0.1", "--minutes", "0.01", "--draws", "1"]
    assert cli.main([*words, "--plot", str(tmp_path / "clear.png"), "--profile", "0:250,1:200"]) == 0
    out = capsys.readouterr().out
    assert "No dots formed" in out and "those of CdSe stand in" in out and "nan" not in out


SEEDED = ["probe", "growth", "CdSe", "--monomer", "30", "--seeds", "3:0.3:10", "--no-nucleation", "--draws", "2"]
SIZES = "time_min,diameter_nm,sd_nm\n0.5,3.5,0.1\n1,4.4,0.1\n2,5,0.1\n4,5.3,0.1\n"


@pytest.mark.parametrize("text", [SIZES, "time_min,first_exciton_nm\n0.5,555\n1,580\n2,603\n4,612\n"])
def test_aliquots_from_a_table(capsys, tmp_path, text):
    table = tmp_path / "a.csv"
    table.write_text(text)
    assert cli.main([*SEEDED, "--aliquots", str(table), "--conversion", "30"]) == 0
    assert "Aliquots ask for" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SIZES.replace("3.5", "many"), "row 2, column diameter_nm"),
        (SIZES.replace("4.4,0.1", "4.4,0"), "row 3, column sd_nm"),
        (SIZES.replace("2,5,", ",5,"), "row 4, column time_min"),
        ("time_min,diameter_nm,sd_nm\n1,3,0.1\n2,4,0.1\n", "too few"),
        ("time_min,first_exciton_nm\n1,555\n2,5550\n3,580\n", "row 3, column first_exciton_nm"),
        (SIZES.replace("diameter_nm", "size"), "no column"),
    ],
)
def test_faulty_aliquots_are_refused_with_their_place(capsys, tmp_path, text, told):
    table = tmp_path / "a.csv"
    table.write_text(text)
    assert cli.main([*SEEDED, "--aliquots", str(table)]) == 3
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--seeds", "3:9:1"],
        ["--inject", "5"],
        ["--minutes", "0"],
        ["--draws", "-1"],
        ["--profile", "5"],
        ["--plot", "a.x"],
    ],
)
def test_wrong_words_are_refused(capsys, words):
    assert cli.main(["probe", "growth", "CdSe", *words]) == 2
