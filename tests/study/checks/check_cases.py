"""Cases of the methods checks: each is one change of a sound study, and what the check must say of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sound_study import (
    NAN,
    REGION_ROW,
    animals,
    comparison,
    correlation,
    header,
    headers,
    made_by,
    outcome,
    region,
    samples,
    session,
    sound,
)

from lampyris.core.checks import PercentRecord
from lampyris.core.design import Design
from lampyris.core.finding import Finding, Place, Severity
from lampyris.core.schemas import CurationRow
from lampyris.study.checks.evidence import Evidence

WHO = animals()
ROWS = samples(WHO)
TEN = tuple(1.0 + 0.1 * k for k in range(10))
HALF_CUT = ((True, True, True, False, False), (False,) * 5)
CURATED = CurationRow(2, "m00", "d07", "dorsal", "reject", 1, NAN, NAN, NAN, NAN, "", "", "fur", "AB", "2026-03-20")
BLIND = {"blinding.json": {"groups": ["A", "B"]}}
OPENED = {**BLIND, "unblinding.json": {"unblinded": "2026-04-01T00:00:00+00:00"}}


def changed(rows, pick, **changes):
    return tuple(replace(row, **(changes if pick(row) else {})) for row in rows)


def compared(*made, text=(), **changes):
    return lambda: sound(comparisons=made, text=text, **changes)


def told(*changes, **options):
    return lambda: sound(text=changes, **options)


def imaged(**changes):
    """The first image says something else."""
    return lambda: sound(analysed=False, headers=headers(ROWS, **{ROWS[0].image: header(**changes)}))


def listed(pick, **changes):
    """Some animals' rows say something else."""
    return lambda: sound(listed=changed(WHO, pick, **changes), rows=ROWS)


def shot(pick, **changes):
    return lambda: sound(rows=changed(ROWS, pick, **changes))


def earlier(rule, severity=Severity.WARNING, **options):
    """Another rule found it already."""
    return lambda: sound(
        findings=(Finding(rule, severity, Place("samplesheet.csv", 3), "seen before.", "mend"),), **options
    )


def viewed(**changes):
    return lambda: sound(sessions=(session(WHO[0], 0.0, **changes),))


@dataclass(frozen=True)
class Case:
    check: str
    name: str
    evidence: Callable[[], Evidence]
    severity: str
    says: str


def lines():
    """The arms in cages, lots and days of their own."""
    cage = {"dots": "c0", "bare": "c1", "control": "c2"}
    return tuple(replace(entry, cage=cage[entry.group]) for entry in WHO)


FIRES = (
    Case("L01", "saturated on the animal", viewed(saturated=2e-4), "warning", "0.02 % of the pixels on the animal"),
    Case("L01", "much saturated on the animal", viewed(saturated=0.02), "error", "2 % of the pixels"),
    Case("L01", "a saturated detection", viewed(flags=1), "warning", "detection 1 of m00"),
    Case(
        "L01",
        "a saturated region",
        lambda: sound(regions=(region(WHO[0], saturated=0.01),)),
        "error",
        "1 % of the drawn region",
    ),
    Case(
        "L01",
        "a saturated image before the analysis",
        lambda: sound(
            analysed=False,
            findings=(Finding("image.saturated", Severity.WARNING, Place("raw/a.tif"), "3 % saturated.", "m"),),
        ),
        "warning",
        "3 % saturated",
    ),
    Case(
        "L02",
        "a dark frame that is too bright",
        imaged(floor=(60.0, 101.0)),
        "warning",
        "b1 in raw/m00_d00.tif is at 60 counts",
    ),
    Case(
        "L02",
        "a dark frame of its own that is too bright",
        lambda: sound(
            rows=changed(ROWS, lambda row: row.row < 4, background=""),
            analysed=False,
            headers=headers(ROWS, **{ROWS[0].image: header(dark_level=(150.0,) * 2, dark_spread=(4.0,) * 2)}),
        ),
        "warning",
        "its dark frame at 150",
    ),
    Case(
        "L03",
        "an arm with an exposure of its own",
        shot(lambda row: row.group == "bare", exposure_s=5.0),
        "warning",
        "the arm bare was imaged in b1 with 5 s, the others with 2 s",
    ),
    Case(
        "L01",
        "a camera that ends below its scale",
        earlier("header.full-scale", analysed=False),
        "warning",
        "seen before",
    ),
    Case("L02", "no dark frame", earlier("header.no-dark", Severity.ERROR), "error", "seen before"),
    Case(
        "L02",
        "a dark frame of another exposure",
        earlier("header.dark-exposure", Severity.ERROR),
        "error",
        "seen before",
    ),
    Case(
        "L03", "a file that says another exposure", earlier("header.exposure", Severity.ERROR), "error", "seen before"
    ),
    Case(
        "L16", "left out without a reason", earlier("animals.exclusion-reason", Severity.ERROR), "error", "seen before"
    ),
    Case(
        "L25", "a file that says another wavelength", earlier("header.emission", Severity.ERROR), "error", "seen before"
    ),
    Case(
        "L04",
        "regions counted as animals",
        compared(comparison(values=(TEN, TEN))),
        "error",
        "10 values of 5 animals of dots were tested as independent",
    ),
    Case(
        "L04",
        "more values than the sheet has animals",
        compared(comparison(values=(TEN, TEN), design=None)),
        "error",
        "10 values of 5",
    ),
    Case(
        "L04",
        "an unpaired test, and a model beside it",
        compared(
            comparison(values=(TEN, TEN), test="Unpaired t test", tests=(made_by("Linear mixed model", role="beside"),))
        ),
        "error",
        "10 values of 5 animals",
    ),
    Case("L04", "no unit named", compared(comparison(unit="")), "error", "what was replicated is not named"),
    Case(
        "L05",
        "nested values without a word",
        compared(comparison(design=Design("animal", ("dots", "bare"), (5, 5), rows=60))),
        "warning",
        "60 values of 10 animals",
    ),
    Case(
        "L06",
        "days in a one-way test",
        compared(
            comparison(values=(TEN, TEN), design=Design("animal", ("dots", "bare"), (5, 5), rows=20, within=("day",)))
        ),
        "error",
        "takes day of one animal as independent",
    ),
    Case(
        "L06",
        "no correction for sphericity",
        compared(comparison(test="Repeated-measures analysis of variance")),
        "warning",
        "without a correction",
    ),
    Case("L07", "no effect size", compared(comparison(effect=None, pairs=0)), "warning", "the effect size missing"),
    Case("L07", "no exact p", compared(comparison(p=NAN)), "warning", "the exact p missing"),
    Case(
        "L08",
        "few animals in an arm",
        lambda: sound(listed=WHO[:4] + WHO[5:], rows=samples(WHO[:4] + WHO[5:]), comparisons=()),
        "warning",
        "the arm dots has 4 animals; five",
    ),
    Case(
        "L08",
        "too few for a test",
        lambda: sound(listed=WHO[3:], rows=samples(WHO[3:]), comparisons=()),
        "warning",
        "2 animals: no test",
    ),
    Case(
        "L08",
        "a test with two",
        compared(comparison(values=((1.0, 2.0), (3.0, 4.0, 5.0)), design=None)),
        "error",
        "tested with n = 2",
    ),
    Case(
        "L08",
        "no reason for n",
        told(('sample_size = "power 0.8 for a tenfold difference"\n', "")),
        "note",
        "is not stated",
    ),
    Case(
        "L09",
        "two tests without adjustment",
        compared(comparison(notes=()), comparison(notes=())),
        "error",
        "2 tests were made",
    ),
    Case(
        "L09",
        "tests that are not shown",
        compared(comparison(notes=()), text=(("[reporting]\n", "[reporting]\ncomparisons_made = 20\n"),)),
        "error",
        "20 tests were made; 1 are shown",
    ),
    Case(
        "L09",
        "an adjustment that leaves some out",
        compared(comparison(), comparison(), text=(("[reporting]\n", "[reporting]\ncomparisons_made = 9\n"),)),
        "warning",
        "covers the 2",
    ),
    Case(
        "L09",
        "pairs without adjustment",
        compared(comparison(post_hoc="t tests", pairs=3)),
        "error",
        "3 pairs by t tests",
    ),
    Case(
        "L09",
        "an adjustment that is denied",
        compared(
            comparison(post_hoc="Welch's t tests, not adjusted", pairs=3, notes=("p unadjusted",)),
            comparison(notes=("Values are not adjusted.",)),
        ),
        "error",
        "2 tests were made",
    ),
    Case(
        "L10",
        "pairs that lean on equal spread after Welch's test",
        compared(
            comparison(values=((1.0, 1.1, 0.9, 1.05), (2.0, 6.0, 1.0, 9.0, 4.0)), post_hoc="Tukey-Kramer", design=None)
        ),
        "warning",
        "Tukey-Kramer with unequal n",
    ),
    Case(
        "L10",
        "unequal spread and n in a classical test",
        compared(
            comparison(
                values=((1.0, 1.1, 0.9, 1.05), (2.0, 6.0, 1.0, 9.0, 4.0)),
                test="One-way analysis of variance",
                post_hoc="Tukey-Kramer",
                design=None,
            )
        ),
        "warning",
        "with unequal n",
    ),
    Case(
        "L10",
        "Levene in a classical test",
        compared(
            comparison(
                values=((1.0, 1.4, 0.9, 1.3), (2.0, 2.2, 1.8, 2.1, 2.4)),
                test="One-way analysis of variance",
                post_hoc="Tukey-Kramer",
                design=None,
                tests=(made_by("Levene's test", role="assumption", p=0.01),),
            )
        ),
        "warning",
        "with unequal n",
    ),
    Case(
        "L11",
        "a claim without a test",
        told(
            (
                "[reporting]\n",
                '[reporting]\nno_difference_claims = ["log10 flux"]\nequivalence_margin = "0.3 on log10"\n',
            )
        ),
        "error",
        "without an equivalence test",
    ),
    Case(
        "L11",
        "a claim that the equivalence test does not bear out",
        compared(
            comparison(p=0.4, tests=(made_by("Two one-sided Welch t tests, lower margin", role="beside", p=0.3),)),
            text=(("[reporting]\n", '[reporting]\nno_difference_claims = ["flux"]\nequivalence_margin = "0.3"\n'),),
        ),
        "error",
        "equivalence is not shown (p = 0.3)",
    ),
    Case(
        "L11",
        "a claim without a margin, before the analysis",
        told(("[reporting]\n", '[reporting]\nno_difference_claims = ["viability"]\n'), analysed=False),
        "error",
        "no margin is stated",
    ),
    Case(
        "L12",
        "three pairs",
        lambda: sound(correlations=(correlation(n=3, units=3),)),
        "error",
        "no interval exists below 4",
    ),
    Case(
        "L12",
        "days of animals as pairs",
        lambda: sound(correlations=(correlation(n=30, units=6, x=(), y=()),)),
        "error",
        "30 pairs of 6 units",
    ),
    Case("L12", "no interval", lambda: sound(correlations=(correlation(low=NAN),)), "warning", "no interval is given"),
    Case(
        "L12",
        "one far point",
        lambda: sound(correlations=(correlation(x=(1, 2, 3, 4, 5, 30), y=(3, 1, 2, 3, 1, 20)),)),
        "warning",
        "its sign changes when one pair is left out",
    ),
    Case(
        "L12",
        "one point makes it significant",
        lambda: sound(correlations=(correlation(x=(1, 2, 3, 4, 5, 9), y=(1, 3, 2, 2.5, 2, 6)),)),
        "warning",
        "its significance at 0.05 changes",
    ),
    Case(
        "L13", "drawn while the arms were known", lambda: sound(region_rows=(REGION_ROW,)), "warning", "never blinded"
    ),
    Case(
        "L13",
        "corrected while the arms were known",
        lambda: sound(sheets={"curation": (CURATED,)}),
        "warning",
        "curation.csv",
    ),
    Case(
        "L13",
        "larger regions in one arm",
        lambda: sound(region_rows=(REGION_ROW,), records=BLIND, regions=(region(WHO[0], 12.0), region(WHO[6], 10.0))),
        "warning",
        "regions of liver are 20 % larger in dots than in bare",
    ),
    Case(
        "L13",
        "changed after unblinding",
        lambda: sound(
            region_rows=(REGION_ROW,),
            records=BLIND,
            findings=(
                Finding(
                    "blinding.curated-after",
                    Severity.WARNING,
                    Place("regions.csv"),
                    "changed after unblinding.",
                    "say so",
                ),
            ),
        ),
        "warning",
        "changed after unblinding",
    ),
    Case(
        "L14",
        "chosen from the tested data",
        told(("[reporting]\n", '[reporting]\nendpoint_selection = "from the tested data"\n')),
        "error",
        "chosen from the data that are tested",
    ),
    Case("L14", "drawn regions without a word", lambda: sound(region_rows=(REGION_ROW,)), "note", "not stated whether"),
    Case(
        "L15",
        "nothing of blinding",
        told(('blinding = "who analysed did not know the arms"\n', "")),
        "warning",
        "who was blind",
    ),
    Case(
        "L15",
        "nothing of randomisation",
        told(('randomisation = "drawn by weight and cage"\n', "")),
        "warning",
        "how animals came",
    ),
    Case(
        "L16",
        "an animal without image",
        lambda: sound(listed=WHO, rows=samples(WHO[1:])),
        "warning",
        "m00 has no image",
    ),
    Case(
        "L16",
        "nobody excluded it",
        listed(lambda row: row.animal == "m00", excluded=True, exclusion_reason="ill"),
        "warning",
        "who decided it and when",
    ),
    Case(
        "L16",
        "excluded after unblinding",
        lambda: sound(
            records=OPENED,
            rows=ROWS,
            listed=changed(
                WHO,
                lambda row: row.animal == "m00",
                excluded=True,
                exclusion_reason="ill",
                exclusion_author="AB",
                exclusion_time="2026-04-02",
            ),
        ),
        "warning",
        "after the key was opened on 2026-04-01",
    ),
    Case(
        "L16",
        "an animal that failed",
        lambda: sound(outcomes=(outcome(WHO[0], status="failed", reason="truncated"), *map(outcome, WHO[1:]))),
        "warning",
        "m00 could not be analysed",
    ),
    Case("L17", "a cage per arm", lambda: sound(listed=lines(), rows=ROWS), "error", "group and cage are the same"),
    Case(
        "L17",
        "cages of one arm each",
        lambda: sound(listed=tuple(replace(row, cage=f"{row.group}{row.row % 2}") for row in WHO), rows=ROWS),
        "warning",
        "each cage holds one arm only",
    ),
    Case(
        "L17",
        "nearly a cage per arm",
        lambda: sound(
            listed=tuple(replace(row, cage="bare" if row.animal == "m00" else row.group) for row in WHO), rows=ROWS
        ),
        "warning",
        "group and cage go together",
    ),
    Case(
        "L17",
        "a lot per arm of one probe",
        lambda: sound(rows=tuple(replace(row, lot=row.lot and f"L{row.group}") for row in ROWS)),
        "error",
        "group and lot are the same",
    ),
    Case(
        "L17",
        "a day per arm",
        lambda: sound(
            rows=tuple(
                replace(row, date={"dots": "2026-03-02", "bare": "2026-03-03", "control": "2026-03-04"}[row.group])
                for row in ROWS
            )
        ),
        "error",
        "group and day are the same",
    ),
    Case(
        "L18",
        "an absorbance of 0.2",
        told(("absorbance = 0.04", "absorbance = 0.2")),
        "error",
        "21 % of the light are gone",
    ),
    Case("L18", "an absorbance of 0.07", told(("absorbance = 0.04", "absorbance = 0.07")), "warning", "above 0.05"),
    Case(
        "L18",
        "corrected",
        told(("absorbance = 0.04", "absorbance = 0.2\ninner_filter_corrected = true\nemission_absorbance = 0.02")),
        "note",
        "by a factor of 1.29",
    ),
    Case(
        "L18",
        "corrected too far",
        told(("absorbance = 0.04", "absorbance = 0.4\ninner_filter_corrected = true")),
        "error",
        "beyond the 0.3",
    ),
    Case("L18", "absorbance not stated", told(("absorbance = 0.04\n", "")), "warning", "is not stated"),
    Case(
        "L19",
        "no refractive index",
        told(("refractive_index = 1.33\nstandard_refractive_index = 1.36\n", "")),
        "warning",
        "refractive index",
    ),
    Case(
        "L19",
        "a yield of 43",
        told(("absorbance = 0.04", "absorbance = 0.04\nquantum_yield = 43.0")),
        "error",
        "cannot be",
    ),
    Case(
        "L19",
        "too sure in the near infrared",
        told(("quantum_yield_sd = 0.05", "quantum_yield_sd = 0.01")),
        "warning",
        "less than its standards",
    ),
    Case(
        "L20", "not multiplied", told(("jacobian = true", "jacobian = false")), "error", "still has intensities per nm"
    ),
    Case(
        "L20", "divided instead", told(("peak_per_ev = 818", "peak_per_ev = 803")), "error", "moves it to longer ones"
    ),
    Case("L20", "one peak", told(("peak_per_ev = 818", "")), "note", "not both given"),
    Case(
        "L21", "one frame", told(("baseline_frames = 5", "baseline_frames = 1")), "warning", "the start is of 1 frames"
    ),
    Case("L21", "no dose", told(("dose_j_per_cm2 = 36", "")), "warning", "the light dose is not stated"),
    Case(
        "L21", "dark left in", told(("dark_subtracted = true", "dark_subtracted = false")), "warning", "not taken off"
    ),
    Case(
        "L21",
        "it brightened",
        told(("retained_percent = 91.8", "retained_percent = 120")),
        "note",
        "it brightened, as dots do",
    ),
    Case(
        "L22",
        "one band and no control",
        told(
            ('[[instrument.bands]]\nchannel = "b2"\ncentre_nm = 820\nwidth_nm = 20\n', ""),
            ('[groups.control]\nrole = "control"\n', ""),
        ),
        "warning",
        "one emission band and no control arm",
    ),
    Case("L22", "a spot below its threshold", viewed(z=3.0), "error", "z 3, below the 4.7"),
    Case(
        "L23",
        "zero in place of a limit",
        compared(
            comparison(
                values=((0.0, 1.2, 1.1, 0.9, 1.3), (2.0, 2.1, 1.8, 2.2, 1.9)),
                censored=((True, *[False] * 4), (False,) * 5),
            )
        ),
        "error",
        "below its limit stands as 0",
    ),
    Case(
        "L23",
        "an animal without limit",
        lambda: sound(outcomes=(outcome(WHO[0], below=True, limit=0.0),)),
        "error",
        "no limit stands for it",
    ),
    Case(
        "L23",
        "half of an arm are limits, with ranks beside",
        compared(comparison(censored=HALF_CUT, tests=(made_by("Kruskal-Wallis", role="beside"),))),
        "warning",
        "3 of 5 values of dots are limits",
    ),
    Case("L24", "no zeta potential", told(("zeta_mv = -12.0\n", "")), "note", "not stated of qd: zeta potential"),
    Case(
        "L24",
        "a ligand without its density",
        told(('ligand = "none"', 'ligand = "RGD"')),
        "note",
        "ligand and its density",
    ),
    Case("L24", "no mycoplasma test", told(('mycoplasma = "negative"\n', "")), "note", "mycoplasma test"),
    Case("L25", "clock against days", earlier("header.clock-order"), "warning", "seen before"),
    Case("L25", "dates against days", earlier("sheet.date-order"), "warning", "seen before"),
    Case("L25", "time zones mixed", imaged(acquired="2026-03-02T10:00:00+01:00"), "warning", "without"),
    Case(
        "L25",
        "smaller in solution than its core",
        told(("hydrodynamic_nm = 18.4", "hydrodynamic_nm = 3.4")),
        "error",
        "less than the 6.8 nm",
    ),
    Case(
        "L25",
        "a spread that cannot be",
        told(("alive_sd_percent = 1.5", "alive_sd_percent = 25.0")),
        "error",
        "is at most 19.7 %",
    ),
    Case(
        "L25",
        "a spread in the tail that cannot be",
        listed(lambda row: row.animal == "m00", dose_tail_sd_percent=60.0),
        "error",
        "is at most",
    ),
    Case(
        "L25",
        "a syringe in mg",
        listed(lambda row: row.animal == "m00", dose_syringe_full_g=51.3),
        "warning",
        "ml per kg",
    ),
    Case(
        "L25",
        "more than all of them",
        lambda: sound(percents=(PercentRecord("labelled", 104.0, 1.0, 5, "assays.csv percent"),)),
        "error",
        "is no share",
    ),
)
