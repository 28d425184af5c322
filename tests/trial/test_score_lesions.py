"""Followed lesions against the truth: identities, places, organs, amounts and links, counted by hand on synthetic nouns."""

import math
from dataclasses import replace

import pytest
from synthetic_nouns import NAN, UNKNOWN, estimate, followed, outcome, sighting, true_animal, true_lesion

from lampyris.core.images import Pose, Registration
from lampyris.trial.score_lesions import (
    Followed,
    FollowedLesion,
    SessionSpots,
    depth_is_flagged,
    followed_figures,
    joined,
    score_followed,
)

DAYS = {"d00": 0.0, "d07": 7.0, "d14": 14.0}
STRAIGHT = Registration(Pose(0.0, 30.0), 0.5, 1.0, "landmarks")


def spots(name, shows, *, hides=None, registration=STRAIGHT):
    """One dorsal view whose spot ``number`` shows a true lesion."""
    keyed = {("dorsal", number): lesion for number, lesion in shows.items()}
    hidden = {("dorsal", number): lesions for number, lesions in (hides or {}).items()}
    return SessionSpots(name, DAYS[name], {"dorsal": registration}, keyed, hidden)


def seen(name, number, **more):
    return sighting(name, DAYS[name], ("dorsal", number), **more)


def unseen(name, **more):
    return sighting(name, DAYS[name], **more)


def scored(lesions, sessions, *true):
    animal = true_animal(*true, sessions=DAYS)
    return score_followed(outcome(lesions), sessions, animal, study="synthetic 1")


PRIMARY = true_lesion(1, "left mammary fat pad", (0.0, 40.0, -5.0), {"d00": 1e6, "d07": 5e5, "d14": 2e5})
LIVER = true_lesion(2, "liver", (0.0, 20.0, 5.0), {"d07": 1e5, "d14": 5e4}, arrival=6.0)


def test_nothing_said_is_no_figure():
    figures = followed_figures(Followed())
    counts = {name: value for name, value in figures.items() if name.endswith("_n") or name.startswith("lesions_")}
    assert set(counts.values()) == {0}
    assert figures["organs_stated"] == 0
    rest = {name for name in figures if name not in counts and not name.startswith("organs_stated")}
    assert {name for name in rest if figures[name] is not None} == set()


def test_a_lesion_is_matched_to_the_one_that_most_of_its_spots_show():
    lesions = [
        followed(1, [seen("d00", 1), seen("d07", 1), seen("d14", 1)], kind="primary", organ="left mammary fat pad"),
        # once its spot is the primary's, twice its own
        followed(2, [seen("d00", 2), seen("d07", 2), seen("d14", 2)]),
        followed(3, [seen("d00", 3)], kind="injection site"),
    ]
    sessions = [spots("d00", {1: 1, 2: 1}), spots("d07", {1: 1, 2: 2}), spots("d14", {1: 1, 2: 2})]
    rows = scored(lesions, sessions, PRIMARY, LIVER).lesions
    assert [row.lesion for row in rows] == [1, 2, 0]
    assert [row.right_kind for row in rows] == [True, True, True]
    assert [row.primary for row in rows] == [True, False, False]


def test_no_true_lesion_is_claimed_twice():
    lesions = [followed(1, [seen("d07", 1)]), followed(2, [seen("d14", 1)])]
    sessions = [spots("d07", {1: 2}), spots("d14", {1: 2})]
    rows = scored(lesions, sessions, PRIMARY, LIVER).lesions
    assert sorted(row.lesion for row in rows) == [0, 2]
    # the other half of a lesion that was torn apart is called a tumour and no true lesion is left for it
    assert [row.right_kind for row in rows].count(False) == 1


@pytest.mark.parametrize(
    ("kind", "true", "right"),
    [
        ("primary", PRIMARY, True),
        ("lesion", PRIMARY, False),
        ("lesion", LIVER, True),
        ("circulating uptake", LIVER, False),
    ],
)
def test_kinds_of_true_lesions(kind, true, right):
    found = scored([followed(1, [seen("d07", 1)], kind=kind)], [spots("d07", {1: true.number})], PRIMARY, LIVER)
    assert [row.right_kind for row in found.lesions] == [right]


@pytest.mark.parametrize(
    ("place", "pose", "apart"),
    [
        ((0.0, 20.0, 5.0), Pose(0.0, 30.0), 0.0),
        ((0.0, 23.0, 1.0), Pose(0.0, 30.0), 5.0),
        # a registration that lies 2 mm too far down is an error of place
        ((0.0, 20.0, 5.0), Pose(2.0, 30.0), 2.0),
        # and a place that makes up for it is none: 20 mm at scale 1.1 lies where 22 mm does
        ((0.0, 20.0, 5.0), Pose(-2.0, 30.0, scale_y=1.1), 0.0),
        # left and right are not confused
        ((0.0, 20.0, -5.0), Pose(0.0, 30.0), 10.0),
    ],
)
def test_distance_on_the_stage(place, pose, apart):
    session = spots("d07", {1: 2}, registration=Registration(pose, 0.5, 1.0, "landmarks"))
    found = scored([followed(1, [seen("d07", 1)], place=place)], [session], PRIMARY, LIVER)
    assert found.lesions[0].apart_mm == pytest.approx(apart)


def test_distance_is_the_mean_over_sessions():
    sessions = [
        spots("d07", {1: 2}),
        spots("d14", {1: 2}, registration=Registration(Pose(3.0, 30.0), 0.5, 1.0, "landmarks")),
    ]
    found = scored([followed(1, [seen("d07", 1), seen("d14", 1)])], sessions, PRIMARY, LIVER)
    assert found.lesions[0].apart_mm == pytest.approx(1.5)


def test_intervals_of_place_are_in_the_nominal_frame():
    """An animal a tenth longer: 22 mm from its nose is 20 mm from the nominal one's."""
    longer = true_lesion(1, "liver", (0.0, 22.0, 5.0), {"d07": 1e5})
    animal = true_animal(longer, sessions=DAYS, scale=(1.0, 1.1, 1.0))
    lesion = followed(1, [seen("d07", 1)], place=(0.0, 20.0, 7.5))
    vague = replace(lesion, position_mm=(UNKNOWN, *lesion.position_mm[1:]))
    for said, inside in ((lesion, (True, True, False)), (vague, (None, True, False))):
        found = score_followed(outcome([said]), [spots("d07", {1: 1})], animal, study="s")
        assert found.lesions[0].inside == inside
    figures = followed_figures(found)
    assert (figures["position_coverage"], figures["position_coverage_n"]) == (0.5, 2)
    assert figures["position_coverage_z"] is None


def test_organs_and_how_sure():
    stated = [(0.95, "liver"), (0.9, "lungs"), (0.6, "liver"), (0.5, "liver")]
    parts = []
    for index, (probability, organ) in enumerate(stated):
        lesion = followed(1, [seen("d07", 1)], organ=organ, organs={organ: probability, "liver": 1 - probability} | {
            organ: probability
        })  # fmt: skip
        animal = true_animal(PRIMARY, LIVER, sessions=DAYS, animal=f"m{index}")
        parts.append(score_followed(outcome([lesion]), [spots("d07", {1: 2})], animal, study="s"))
    figures = followed_figures(joined(parts))
    assert figures["organ_accuracy_forced"] == pytest.approx(3 / 4)
    assert figures["organ_accuracy_confident"] == pytest.approx(1 / 2)
    assert figures["organ_confident_share"] == pytest.approx(1 / 2)
    assert figures["organ_confidence_gap"] == pytest.approx(abs(2.95 / 4 - 3 / 4))
    # bins: 0.9 and 0.6 and 0.5 end their bins, 0.95 stands alone
    assert figures["organ_calibration_error"] == pytest.approx((0.05 + 0.9 + 0.4 + 0.5) / 4)
    assert figures["organs_stated"] == figures["organs_stated_spread"] == 4


def test_an_organ_that_the_analysis_does_not_know_is_everything_else():
    flank = true_lesion(1, "left flank", (0.0, 20.0, 5.0), {"d07": 1e5})
    lesion = followed(1, [seen("d07", 1)], organ="subcutis", organs={"subcutis": 0.9, "liver": 0.1})
    assert scored([lesion], [spots("d07", {1: 1})], flank).lesions[0].right_organ
    named = followed(1, [seen("d07", 1)], organ="subcutis", organs={"subcutis": 0.6, "left flank": 0.4})
    assert not scored([named], [spots("d07", {1: 1})], flank).lesions[0].right_organ


@pytest.mark.parametrize(
    ("after", "by", "held"),
    [(0.0, 7.0, True), (6.0, 7.0, False), (-math.inf, 6.0, True), (7.0, 14.0, False), (0.0, math.inf, True)],
)
def test_arrival_lies_after_the_one_day_and_by_the_other(after, by, held):
    lesion = followed(1, [seen("d07", 1)], after_day=after, by_day=by)
    figures = followed_figures(scored([lesion], [spots("d07", {1: 2})], PRIMARY, LIVER))
    assert figures["appearance_coverage"] == float(held)


def test_the_primary_is_not_asked_when_it_arrived():
    figures = followed_figures(scored([followed(1, [seen("d07", 1)])], [spots("d07", {1: 1})], PRIMARY))
    assert figures["appearance_coverage"] is None


def test_amounts_seen_and_not_seen():
    lesion = followed(
        1,
        [
            unseen("d00", cells=estimate(1e4, 1e4)),
            seen("d07", 1, cells=estimate(1.5e5, 6e4)),
            unseen("d14", cells=estimate(2e4, 1e4)),
        ],
    )
    found = scored([lesion], [spots("d00", {}), spots("d07", {1: 2}), spots("d14", {})], PRIMARY, LIVER)
    figures = followed_figures(found)
    assert (figures["cells_coverage"], figures["cells_coverage_n"]) == (1.0, 1)
    # day 0 is before its arrival and asks nothing; on day 14 there are 5e4
    assert (figures["cells_limit_coverage"], figures["cells_limit_coverage_n"]) == (0.0, 1)


def test_an_amount_that_two_share_is_scored_once_against_both():
    together = estimate(6e5, 1e4)
    lesions = [
        followed(1, [seen("d07", 1, cells=together, shared_with=(2,))], kind="primary"),
        followed(2, [seen("d07", 1, cells=together, shared_with=(1,)), seen("d14", 2, cells=UNKNOWN)]),
    ]
    sessions = [spots("d07", {1: 1}, hides={1: (2,)}), spots("d14", {2: 2})]
    figures = followed_figures(scored(lesions, sessions, PRIMARY, LIVER))
    # 5e5 and 1e5; the amount of day 14 is not known
    assert (figures["cells_coverage"], figures["cells_coverage_n"]) == (1.0, 1)


LINKS = {
    "all right": ([[("d00", 1), ("d07", 1), ("d14", 1)]], {}, 2, 2, 2),
    "torn apart": ([[("d00", 1)], [("d07", 1), ("d14", 1)]], {}, 1, 1, 1),
    "a day left out is a link of its own": ([[("d00", 1), ("d14", 1)], [("d07", 1)]], {}, 0, 1, 1),
    "joined with what is no lesion": ([[("d00", 9), ("d07", 1), ("d14", 1)]], {}, 1, 1, 2),
    "what is no lesion, followed": ([[("d00", 1), ("d07", 1), ("d14", 1)], [("d00", 8), ("d07", 8)]], {}, 2, 2, 2),
    "joined with a neighbour": ([[("d00", 1), ("d07", 2), ("d14", 1)]], {"d07": {1: 1, 2: 2}}, 0, 0, 2),
}


@pytest.mark.parametrize(("chains", "shows", "recalled", "right", "made"), LINKS.values(), ids=LINKS)
def test_links(chains, shows, recalled, right, made):
    lesions = [
        followed(index, [seen(name, number) for name, number in chain]) for index, chain in enumerate(chains, start=1)
    ]
    sessions = [spots(name, shows.get(name, {1: 1})) for name in DAYS]
    links = scored(lesions, sessions, PRIMARY, LIVER).links
    of_truth = [link.right for link in links if link.of_truth]
    of_analysis = [link.right for link in links if not link.of_truth]
    assert (sum(of_truth), len(of_truth)) == (recalled, 2)
    assert (sum(of_analysis), len(of_analysis)) == (right, made)


def test_a_session_counts_once_however_many_views_show_it():
    both = [("dorsal", 1), ("ventral", 1)]
    shows = dict.fromkeys(both, 1)
    sessions = [SessionSpots(name, DAYS[name], {"dorsal": STRAIGHT}, shows) for name in ("d00", "d07")]
    lesion = followed(1, [sighting(name, DAYS[name], *both) for name in ("d00", "d07")])
    assert len(scored([lesion], sessions, PRIMARY).links) == 2


def test_a_spot_that_two_share_links_both():
    lesions = [
        followed(1, [seen("d07", 1, shared_with=(2,)), seen("d14", 1)]),
        followed(2, [seen("d07", 1, shared_with=(1,)), seen("d14", 2)]),
    ]
    sessions = [spots("d07", {1: 1}, hides={1: (2,)}), spots("d14", {1: 1, 2: 2})]
    links = scored(lesions, sessions, PRIMARY, LIVER).links
    assert [link.right for link in links if not link.of_truth] == [True, True]
    # without a spot of its own on day 7 the second lesion has no link to recall
    assert [link.right for link in links if link.of_truth] == [True]


ROW = FollowedLesion(
    study="s", animal="m", number=1, lesion=1, kind="lesion", right_kind=True, primary=False, organ="liver",
    true_organ="liver", organ_probability=1.0, right_organ=True, apart_mm=1.0, inside=(True, True, True),
    depth=estimate(2.0), true_depth_mm=2.0, arrival_day=0.0, after_day=0.0, by_day=1.0,
)  # fmt: skip


def test_depth_by_class_and_what_says_itself_that_it_is_vague():
    cases = [(1.5, 2.0, 0.5), (1.0, 2.0, 0.5), (5.0, 4.0, 0.5), (9.0, 8.0, 0.5), (3.0, 8.0, 4.0), (NAN, 8.0, 1.0)]
    rows = tuple(
        replace(ROW, animal=f"m{index}", depth=estimate(said, half), true_depth_mm=true)
        for index, (said, true, half) in enumerate(cases)
    )
    figures = followed_figures(Followed(rows))
    assert figures["depth_error_median_mm_to_2mm"] == pytest.approx(0.75)
    assert figures["depth_error_median_mm_2_to_6mm"] == pytest.approx(1.0)
    assert figures["depth_error_median_mm_beyond_6mm"] == pytest.approx(3.0)
    assert figures["depth_error_beyond_6mm_unflagged_relative_median"] == pytest.approx(1 / 8)
    assert figures["depth_flagged_beyond_6mm"] == pytest.approx(1 / 2)
    assert figures["depth_coverage"] == pytest.approx(1 / 5)


def test_a_depth_is_flagged_where_its_interval_is_wide():
    assert not depth_is_flagged(estimate(8.0, 1.6))
    assert depth_is_flagged(estimate(8.0, 1.7))


def test_a_place_that_is_not_known_counts_nowhere():
    row = replace(ROW, apart_mm=NAN, organ_probability=NAN, inside=(None, None, None), depth=UNKNOWN)
    figures = followed_figures(Followed((row,)))
    for name in ("position_median_mm", "organ_accuracy_forced", "organ_confidence_gap", "position_coverage"):
        assert figures[name] is None
    assert figures["depth_coverage"] is None
    assert figures["kind_accuracy"] == 1.0
