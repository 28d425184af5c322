"""Completeness of ARRIVE 2.0, MIRIBEL and in vivo imaging: every item once, filled from where it stands, missing where it does not."""

from dataclasses import replace

import pytest
from sound_study import WHOLE, animals, sound

from lampyris.core.checks import Stated
from lampyris.core.reporting import Characterisation, Reporting
from lampyris.study.checks.evidence import Evidence
from lampyris.study.checks.probe import MIRIBEL_FIELDS
from lampyris.study.checks.reporting import asked_items, filled_counts, reporting_items
from lampyris.study.draft.asked import reporting_template


def items(evidence):
    return {(one.guideline.split()[0], one.item): one for one in reporting_items(evidence)}


ARRIVE = [
    "1a", "1b", "2a", "2b", "3a", "3b", "3c", "4a", "4b", "5", "6a", "6b", "7a", "7b", "8a", "8b", "9a", "9b", "9c", "9d", "10a",
    "10b", "11", "12a", "12b", "13", "14", "15", "16a", "16b", "16c", "17a", "17b", "18", "19", "20", "21a", "21b",
]  # fmt: skip


def test_every_item_of_arrive_is_there_once_in_its_order():
    assert [item.item for item in asked_items() if item.guideline == "ARRIVE 2.0"] == ARRIVE


def test_every_item_has_a_source_with_doi():
    assert {item.guideline for item in asked_items()} == {"ARRIVE 2.0", "MIRIBEL", "in vivo imaging (CIMI)"}
    assert all("doi:10." in item.source and item.asks and item.fill for item in asked_items())


def test_every_key_that_fills_an_item_exists():
    for item in asked_items():
        for key in item.fill:
            table, _, name = key.partition(".")
            if name:
                model = {"reporting": Reporting, "probe": Characterisation}[table]
                assert name in model.model_fields, key


def test_what_l24_asks_for_are_keys_of_the_probes_table():
    assert {key for keys in MIRIBEL_FIELDS.values() for key in keys} <= set(Characterisation.model_fields)


@pytest.mark.parametrize(
    ("item", "state", "said", "missing"),
    [
        (("ARRIVE", "1a"), Stated.YES, "control (control)", ""),
        (("ARRIVE", "2a"), Stated.YES, "dots 5, bare 5, control 3; 13 in all", ""),
        (("ARRIVE", "3b"), Stated.YES, "none left out", ""),
        (("ARRIVE", "3c"), Stated.YES, "log10 flux on day 7: dots 5, bare 5", ""),
        (("ARRIVE", "4a"), Stated.YES, "drawn by weight and cage", ""),
        (("ARRIVE", "5"), Stated.YES, "did not know the arms", ""),
        (("ARRIVE", "7b"), Stated.YES, "Welch's analysis of variance, set beforehand", ""),
        (("ARRIVE", "8a"), Stated.PARTLY, "BALB/c; female; 20 to 21.2 g", "species under [reporting]"),
        (("ARRIVE", "10b"), Stated.YES, "effect sizes", ""),
        (("ARRIVE", "11"), Stated.MANUSCRIPT, "", ""),
        (("ARRIVE", "14"), Stated.NO, "", "ethics_approval under [reporting] in study.toml"),
        (("MIRIBEL", "M1"), Stated.PARTLY, "CdTe/CdSe", "synthesis under [probes.NAME.characterisation]"),
        (("MIRIBEL", "M2"), Stated.YES, "6.8; 0.9; 210", ""),
        (("MIRIBEL", "M7"), Stated.YES, "none", ""),
        (("MIRIBEL", "M8"), Stated.YES, "1000; Cd; 55", ""),
        (("MIRIBEL", "B6"), Stated.PARTLY, "items of ARRIVE 2.0", "what the table of ARRIVE 2.0 lacks"),
        (("in", "I3"), Stated.YES, "purified diet", ""),
        (("in", "I7"), Stated.YES, "excitation 745 nm; emission 780/20, 820/20 nm", ""),
        (("in", "I10"), Stated.PARTLY, "1 dark frames", "instrument_checks"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, tuple) else None,
)
def test_an_item_is_filled_from_the_sheets(item, state, said, missing):
    one = items(sound())[item]
    assert one.state is state
    assert said in one.said and missing in one.missing, one


def test_before_the_analysis_its_items_are_missing():
    found = items(sound(analysed=False))
    assert found["ARRIVE", "3c"].state is Stated.NO
    assert found["ARRIVE", "3c"].missing == "in the report, after the analysis"


def test_an_animal_left_out_is_named_with_its_reason():
    gone = replace(animals()[0], excluded=True, exclusion_reason="ulcerated")
    assert items(sound(listed=(gone, *animals()[1:])))["ARRIVE", "3b"].said == "m00 of dots: ulcerated"


def test_a_study_without_dots_is_not_asked_for_their_description():
    evidence = sound(text=(("[probes.qd]\n", '[probes.qd]\nkind = "dye"\n'),))
    assert items(evidence)["MIRIBEL", "M2"].state is Stated.NOT_APPLICABLE


def test_a_study_that_states_all_is_complete():
    counts = filled_counts(reporting_items(sound(text=WHOLE)))
    assert {name: stated == asked for name, (stated, asked) in counts.items()} == dict.fromkeys(counts, True), [
        (one.guideline, one.item, one.missing) for one in reporting_items(sound(text=WHOLE)) if one.missing
    ]


def test_without_valid_settings_nothing_is_said():
    assert reporting_items(Evidence()) == ()


def test_the_template_asks_for_known_keys_only():
    lines = reporting_template("probe").splitlines()
    known = {*Reporting.model_fields, *Characterisation.model_fields}
    asked = [line.removeprefix("# ").split(" = ")[0] for line in lines if " = " in line]
    assert asked and set(asked) <= known
    assert "[probes.probe.characterisation]" in "\n".join(lines)
    assert "characterisation" not in reporting_template("")
