"""A look ahead through a whole video: its cuts, and the frames that are needed before their time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labcolor.io.video import Decoder
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.cuts import CutDetector
from labcolor.video.groups import groups

__all__ = ["frames_and_cuts", "look_ahead"]


def frames_and_cuts(
    pictures: Iterable[Picture], working_size: int, first: int = 0
) -> Iterator[tuple[int, SmallPicture, int | None]]:
    """Yield the number of each frame, what the network sees of it, and the cut that is found there, or None.

    Parameters
    ----------
    pictures : iterable of Picture
        The frames of a video.
    working_size : int
        Short side of what the network sees.
    first : int
        Number of the first frame.
    """
    detector = CutDetector(first)
    number = first
    for group, ahead in groups(pictures, working_size):
        following = [small.lightness for _, small in (*group, *ahead)]
        for index, (_, small) in enumerate(group, 1):
            yield number, small, detector.update(small.lightness, following[index:])
            number += 1


def look_ahead(
    decoder: Decoder, working_size: int, first: int, wanted: Iterable[int]
) -> tuple[list[int], dict[int, SmallPicture], int]:
    """Return the cuts of a video, what the network sees of some frames, and the number of the frame after the last.

    Parameters
    ----------
    decoder : Decoder
        The video.
    working_size : int
        Short side of what the network sees.
    first : int
        Number of the first frame.
    wanted : iterable of int
        Numbers of the frames to return.
    """
    table = decoder.format.lightness()
    pictures = (Picture(luma[..., None], None, luma.dtype, table) for luma in decoder)
    cuts: list[int] = []
    frames: dict[int, SmallPicture] = {}
    wanted = frozenset(wanted)
    after = first
    for number, small, cut in frames_and_cuts(pictures, working_size, first):
        if cut is not None:
            cuts.append(cut)
        if number in wanted:
            frames[number] = small
        after = number + 1
    return cuts, frames, after
