"""Cases in which a methods check must stay silent: each is one change of a sound study that is no fault."""

from check_cases import BLIND, HALF_CUT, TEN, WHO, Case, compared, imaged, listed, shot, told, viewed
from sound_study import (
    REGION_ROW,
    comparison,
    correlation,
    made_by,
    region,
    sound,
)

from lampyris.core.checks import PercentRecord
from lampyris.core.design import Design

SILENT = (
    Case("L02", "stray light above the dark frame", imaged(floor=(900.0, 900.0)), "", ""),
    Case("L03", "exposures that all arms share", shot(lambda row: row.day == 7, exposure_s=5.0), "", "2 to 5 s"),
    Case(
        "L04", "a mixed model of all values", compared(comparison(values=(TEN, TEN), test="Linear mixed model")), "", ""
    ),
    Case(
        "L05",
        "regions averaged",
        compared(comparison(design=Design("animal", ("dots", "bare"), (5, 5), 60, nested=("region",)))),
        "",
        "region averaged",
    ),
    Case(
        "L06",
        "a corrected repeated-measures test",
        compared(
            comparison(test="Repeated-measures analysis of variance", tests=(made_by("Greenhouse-Geisser correction"),))
        ),
        "",
        "",
    ),
    Case("L09", "one test", compared(comparison(notes=())), "", "1 test"),
    Case(
        "L10",
        "Welch with unequal spread",
        compared(comparison(values=((1.0, 1.1, 0.9, 1.05), (2.0, 6.0, 1.0, 9.0, 4.0)), design=None)),
        "",
        "",
    ),
    Case(
        "L10",
        "unequal spread and equal n in a classical test",
        compared(
            comparison(
                values=((1.0, 1.1, 0.9, 1.05), (2.0, 6.0, 1.0, 9.0)),
                test="One-way analysis of variance",
                post_hoc="Tukey-Kramer",
                design=None,
            )
        ),
        "",
        "",
    ),
    Case(
        "L11",
        "an equivalence test with its margin",
        compared(
            comparison(test="Equivalence by two one-sided tests"),
            text=(("[reporting]\n", '[reporting]\nno_difference_claims = ["flux"]\nequivalence_margin = "0.3"\n'),),
        ),
        "",
        "1 claim",
    ),
    Case(
        "L10",
        "Dunnett without equal variances",
        compared(
            comparison(
                values=((1.0, 1.1, 0.9, 1.05), (2.0, 6.0, 1.0, 9.0, 4.0)),
                post_hoc="Dunnett without equal variances",
                design=None,
            )
        ),
        "",
        "",
    ),
    Case("L11", "p above 0.05", compared(comparison(p=0.3)), "", "does not show that there is no difference"),
    Case(
        "L12",
        "a repeated-measures correlation",
        lambda: sound(
            correlations=(correlation(n=6, units=4, x=(1, 2, 3, 4, 5, 30), y=(3, 1, 2, 3, 1, 20), models_units=True),)
        ),
        "",
        "",
    ),
    Case(
        "L13",
        "drawn while blind",
        lambda: sound(region_rows=(REGION_ROW,), records=BLIND),
        "",
        "while the arms were coded",
    ),
    Case(
        "L13",
        "areas within a tenth",
        lambda: sound(region_rows=(REGION_ROW,), records=BLIND, regions=(region(WHO[0], 10.9), region(WHO[6], 10.0))),
        "",
        "",
    ),
    Case(
        "L15",
        "recorded by init",
        lambda: sound(
            text=(
                ('randomisation = "drawn by weight and cage"\n', ""),
                ('blinding = "who analysed did not know the arms"\n', ""),
            ),
            records={**BLIND, "allocation.json": {"method": "rerandomisation", "seed": 4}},
        ),
        "",
        "rerandomisation, seed 4",
    ),
    Case(
        "L16",
        "left out with reason, author and time",
        listed(
            lambda row: row.animal == "m00",
            excluded=True,
            exclusion_reason="ill",
            exclusion_author="AB",
            exclusion_time="2026-03-09",
        ),
        "",
        "",
    ),
    Case(
        "L18",
        "an integrating sphere",
        told(('method = "relative"', 'method = "absolute"'), ("absorbance = 0.04", "absorbance = 0.4")),
        "",
        "",
    ),
    Case("L20", "a spectrum per nm", told(('axis = "eV"\njacobian = true', 'axis = "nm"')), "", ""),
    Case("L21", "exactly as bright", told(("retained_percent = 91.8", "retained_percent = 105")), "", ""),
    Case(
        "L22",
        "one band and a control arm",
        told(('[[instrument.bands]]\nchannel = "b2"\ncentre_nm = 820\nwidth_nm = 20\n', "")),
        "",
        "the control arm control",
    ),
    Case("L22", "placed by hand below the threshold", viewed(z=3.0, flags=32), "", ""),
    Case(
        "L23",
        "limits in a censored model",
        compared(comparison(censored=HALF_CUT, test="Censored normal model")),
        "",
        "",
    ),
    Case(
        "L25",
        "one of three at 100 per cent",
        lambda: sound(percents=(PercentRecord("share", 100 / 3, 57.735, 3, "assays.csv percent"),)),
        "",
        "",
    ),
)
