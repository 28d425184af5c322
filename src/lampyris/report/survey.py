"""One pass over the pictures of a study before they are shown: frames and scales that all of them share."""

from collections.abc import Iterable
from dataclasses import dataclass

from lampyris.core.study import SessionResult
from lampyris.report.packing import Frame, body_box, common_frames
from lampyris.report.scale import Window, layer_levels, layer_windows, shared_window, view_levels


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


def survey(sessions: Iterable[SessionResult], /) -> Survey:
    """Look at every picture once, a session in memory at a time.

    Parameters
    ----------
    sessions : iterable of SessionResult
        With their images.

    Returns
    -------
    Survey
    """
    boxes, levels, layers = {}, [], []
    for s, session in enumerate(sessions):
        for v, view in enumerate(session.views):
            boxes[s, v] = body_box(view)
            levels.append(view_levels(view))
            layers.append(layer_levels(view))
    return Survey(common_frames(boxes), shared_window(levels), layer_windows(layers))
