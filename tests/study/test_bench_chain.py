"""The chain from virtual instruments through lots to the fed-in numbers, in a short form."""

from pathlib import Path

import pytest


@pytest.fixture
def chain(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    from accuracy.bench import chain

    return chain


def test_the_printed_numbers_are_those_fed_in(chain):
    told = {(one.technique, one.printed, one.printed_sd) for one in chain.LINKS}
    assert told == {
        ("tem", 6.8, 0.9), ("dls", 18.4, 2.1), ("photoluminescence", 810.0, 5.0), ("quantum-yield", 0.426, 0.043),
        ("photostability", 0.918, 0.037),
    }  # fmt: skip


def test_a_yield_comes_back_over_lots(chain, monkeypatch):
    link = next(one for one in chain.LINKS if one.technique == "quantum-yield")
    monkeypatch.setattr(chain, "LINKS", (link,))
    lines = {(line.arm, line.measure): line for line in chain.tables(quick=True)}
    back = lines["matched", "quantum_yield_fed_in"]
    assert back.n == chain.LOTS and back.held is True and "fed in as 0.426 +- 0.043" in back.goal
    assert lines["matched", "quantum_yield_lot_coverage"].value >= 5 / 6
    assert lines["mismatched", "quantum_yield_one_lot_for_all_coverage"].goal == ""


def test_an_instrument_that_is_missing_is_said(chain, monkeypatch):
    monkeypatch.setattr(chain, "known_techniques", lambda: ())
    lines = chain.tables(quick=True)
    assert len(lines) == len(chain.LINKS)
    assert all(line.n == 0 and line.measure.endswith("_not_in_this_version") for line in lines)
