"""Spots against the truth on synthetic nouns: what is found, what is called, and whose word counts."""

import pytest
from synthetic_nouns import (
    detection,
    followed,
    outcome,
    session,
    sighting,
    true_animal,
    true_lesion,
    truth_of,
    view_result,
)

from lampyris.core.images import Pose, Registration
from lampyris.trial.score import accuracy, pooled, score_sessions

CELLS = {"d00": 1e5, "d07": 5e4}
PRIMARY = true_lesion(1, "left mammary fat pad", (0.0, 40.0, -10.0), CELLS)
LIVER = true_lesion(2, "liver", (0.0, 15.0, 10.0), {"d07": 1e5}, arrival=3.0)
# the animal's left is towards smaller x on the stage
AT = {"primary": (40.0, 40.0), "liver": (15.0, 20.0), "nothing": (30.0, 30.0)}


def two_days(*, stray="lesion"):
    first = [detection(1, *AT["primary"], kind="primary"), detection(2, *AT["nothing"], kind=stray)]
    second = [detection(1, *AT["primary"], kind="primary"), detection(2, *AT["liver"])]
    return [
        session("d00", 0.0, view_result("dorsal", first)),
        session("d07", 7.0, view_result("dorsal", second)),
    ]


def truth(*lesions, animal="m01"):
    return truth_of(true_animal(*lesions, sessions=CELLS, animal=animal))


def chains(*kinds):
    """The primary on both days, the stray spot on the first, the liver's on the second."""
    seen = ([("d00", 0.0, 1), ("d07", 7.0, 1)], [("d00", 0.0, 2)], [("d07", 7.0, 2)])
    return [
        followed(index, [sighting(name, day, ("dorsal", number)) for name, day, number in rows], kind=kind)
        for index, (kind, rows) in enumerate(zip(kinds, seen, strict=True), start=1)
    ]


def test_counted_by_hand():
    figures = accuracy(score_sessions(two_days(), truth(PRIMARY, LIVER)))
    assert figures["lesions_true"] == figures["lesions_above_limit"] == 3
    assert figures["recall_above_limit"] == 1.0
    assert figures["precision"] == pytest.approx(3 / 4)
    assert figures["detections"] == 4
    # spots lie on pixel centres, where the truth was laid
    assert figures["spot_rmse_mm"] == pytest.approx(0.0, abs=1e-6)
    assert figures["precision_of_spots"] == figures["precision"]
    assert figures["lesions_followed"] == 0


def test_what_was_followed_has_the_word():
    outcomes = [outcome(chains("primary", "injection site", "lesion"), days=(0.0, 7.0))]
    figures = accuracy(score_sessions(two_days(), truth(PRIMARY, LIVER), outcomes=outcomes))
    assert (figures["precision"], figures["detections"]) == (1.0, 3)
    assert figures["precision_of_spots"] == pytest.approx(3 / 4)
    assert (figures["lesions_followed"], figures["lesions_matched"], figures["kind_accuracy"]) == (3, 2, 1.0)


def test_a_lesion_taken_for_something_else_is_missed():
    outcomes = [outcome(chains("primary", "lesion", "gut and food"), days=(0.0, 7.0))]
    figures = accuracy(score_sessions(two_days(), truth(PRIMARY, LIVER), outcomes=outcomes))
    assert figures["recall_above_limit"] == pytest.approx(2 / 3)
    assert figures["recall_above_limit_of_spots"] == 1.0
    # what it was called does not change which lesion it is
    assert figures["lesions_matched"] == 2
    assert figures["kind_accuracy"] == pytest.approx(1 / 3)


def test_a_spot_that_no_lesion_owns_speaks_for_itself():
    outcomes = [outcome(chains("primary", "artefact", "lesion")[:1], days=(0.0, 7.0))]
    figures = accuracy(score_sessions(two_days(stray="injection site"), truth(PRIMARY, LIVER), outcomes=outcomes))
    assert (figures["precision"], figures["detections"]) == (1.0, 3)


def test_unlabelled_controls_count_false_alarms():
    score = score_sessions(two_days(), truth())
    figures = accuracy(score)
    assert (figures["control_sessions"], figures["false_alarms_per_control_session"]) == (2, 2.0)
    assert figures["recall_above_limit"] is None
    assert sum(not call.right for call in score.calls) == 4
    quiet = [outcome(chains("injection site", "artefact", "artefact"), days=(0.0, 7.0))]
    assert accuracy(score_sessions(two_days(), truth(), outcomes=quiet))["false_alarms_per_control_session"] == 0.0


def test_no_session_is_no_figure():
    figures = accuracy(score_sessions([], truth(PRIMARY)))
    assert figures["lesions_true"] == 0
    assert figures["recall_above_limit"] is figures["precision"] is figures["spot_rmse_mm"] is None


def test_the_registrations_used_for_following_are_those_of_the_outcome():
    lesions = chains("primary", "artefact", "lesion")
    moved = ((Registration(Pose(3.0, 30.0), 0.5, 1.0, "landmarks"),),) * 2
    by_own = outcome(lesions, days=(0.0, 7.0))
    by_outcome = outcome(lesions, days=(0.0, 7.0), registrations=moved)
    places = [
        {
            row.number: row.apart_mm
            for row in score_sessions(two_days(), truth(PRIMARY, LIVER), outcomes=[one]).followed.lesions
        }
        for one in (by_own, by_outcome)
    ]
    # the synthetic statement of every place is (20, 5) on the stage at (20, 25); the truth of the liver's is (15, 20)
    assert places[0][3] == pytest.approx(50**0.5)
    assert places[1][3] == pytest.approx((8**2 + 5**2) ** 0.5)


def test_two_studies_pool_into_their_cases():
    score = score_sessions(two_days(), truth(PRIMARY, LIVER), outcomes=[outcome(chains("primary", "lesion", "lesion"))])
    both = pooled([score, score])
    one, two = accuracy(score), accuracy(both)
    for name in ("lesions_true", "detections", "lesions_followed", "organs_stated"):
        assert two[name] == 2 * one[name]
    for name in ("precision", "recall_above_limit", "kind_accuracy", "track_link_recall", "position_median_mm"):
        assert two[name] == one[name]
