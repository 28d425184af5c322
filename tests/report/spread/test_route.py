"""The figure of the route: what stands beside arrows can be read."""

from itertools import pairwise

from lampyris.report.drawing.scene import Stroke
from lampyris.report.spread.route import RouteRow, Span, route_scene


def test_boxes_of_sources_do_not_overlap():
    spans = (Span(0.0, 7.0, 0.9, "m01 L2"),)
    sources = ("left mammary fat pad", "right mammary fat pad", "left flank")
    scene = route_scene(
        [RouteRow(source, "lungs", "1 of 2", 0.5, spans) for source in sources], [0.0, 7.0], "#005c99", "Arm"
    )
    boxes = [[y for _, y in mark.points] for mark in scene.marks if isinstance(mark, Stroke) and len(mark.points) == 4]
    assert len(boxes) == len(sources)
    for above, below in pairwise(boxes):
        assert max(above) < min(below)
    assert max(max(box) for box in boxes) < scene.height
