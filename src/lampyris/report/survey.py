"""One pass over the pictures of a study before they are shown: frames and scales that all of them share."""

from collections.abc import Sequence
from dataclasses import dataclass

from lampyris.core.study import SessionResult
from lampyris.report.packing import Box, Frame, body_box, common_frames
from lampyris.report.scale import Window, layer_levels, layer_windows, shared_window, view_levels
from lampyris.report.threads import mapped


@dataclass(frozen=True, slots=True)
class Survey:
    """What all pictures share.

    Parameters
    ----------
    frames : dict of (session index, view index) to Frame
        Part of each view that is shown, all of one size in mm.
    window : Window
        Scale of the probe.
    layers : dict of str to Window
        Scales of autofluorescence and of each band.
    """

    frames: dict[tuple[int, int], Frame]
    window: Window
    layers: dict[str, Window]


def survey(sessions: Sequence[SessionResult], /, *, workers: int = 1) -> Survey:
    """Look at every picture once, a session per worker in memory at a time.

    Parameters
    ----------
    sessions : sequence of SessionResult
        With their images.
    workers : int
        Threads.

    Returns
    -------
    Survey
    """

    def look(s: int) -> list[tuple[Box, tuple[float, float], dict[str, tuple[float, float]]]]:
        return [(body_box(view), view_levels(view), layer_levels(view)) for view in sessions[s].views]

    looks = mapped(look, range(len(sessions)), workers=workers)
    boxes = {(s, v): box for s, own in enumerate(looks) for v, (box, _, _) in enumerate(own)}
    return Survey(
        common_frames(boxes),
        shared_window([levels for own in looks for _, levels, _ in own]),
        layer_windows([layers for own in looks for _, _, layers in own]),
    )
