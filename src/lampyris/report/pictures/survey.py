"""One pass over the pictures of a study before they are shown: frames and scales that all of them share."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

from lampyris.core.study import SessionResult
from lampyris.report.pictures.engine import mapped
from lampyris.report.pictures.packing import Box, Frame, body_box, common_frames
from lampyris.report.pictures.scale import Window, layer_levels, layer_windows, shared_window, view_levels


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


# of each view: where its body lies, its levels, and those of its layers
Look = list[tuple[Box, tuple[float, float], dict[str, tuple[float, float]]]]


def looks(sessions: Sequence[SessionResult], /, *, engine: Executor | None = None) -> Iterator[Look]:
    """Look at every picture once, a session per worker in memory at a time; an engine begins at once.

    Parameters
    ----------
    sessions : sequence of SessionResult
        With their images; they travel to the engine's workers.
    engine : concurrent.futures.Executor, optional
        What runs it.

    Yields
    ------
    list
        Per session.
    """
    return mapped(partial(_look, sessions), range(len(sessions)), engine=engine)


def _look(sessions: Sequence[SessionResult], s: int) -> Look:
    return [(body_box(view), view_levels(view), layer_levels(view)) for view in sessions[s].views]


def survey(seen: Iterator[Look], /) -> Survey:
    """What all pictures share, from `looks`."""
    every = list(seen)
    boxes = {(s, v): box for s, own in enumerate(every) for v, (box, _, _) in enumerate(own)}
    return Survey(
        common_frames(boxes),
        shared_window([levels for own in every for _, levels, _ in own]),
        layer_windows([layers for own in every for _, _, layers in own]),
    )
