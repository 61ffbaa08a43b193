"""Frames of a video in groups, each with the frames that follow, and a look ahead through all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TypeAlias

from labcolor.io.decoder import Decoder
from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.cuts import AHEAD, CutDetector

__all__ = ["Frame", "frames_and_cuts", "groups", "look_ahead"]

Frame: TypeAlias = tuple[Picture, SmallPicture]  # a frame, and what the network sees of it
_GROUP = 4  # frames that are colored together; the network sees only the last of them if they are similar


def groups(pictures: Iterable[Picture], working_size: int) -> Iterator[tuple[list[Frame], list[Frame]]]:
    """Yield groups of frames, each with the frames that follow it.

    Parameters
    ----------
    pictures : iterable of Picture
        The frames of a video.
    working_size : int
        Short side of what the network sees.
    """
    frames = ((picture, SmallPicture.of(picture, working_size)) for picture in pictures)
    group = list(islice(frames, _GROUP))
    while group:
        ahead = list(islice(frames, _GROUP))
        yield group, ahead[:AHEAD]
        group = ahead


def frames_and_cuts(
    pictures: Iterable[Picture], working_size: int, detector: CutDetector
) -> Iterator[tuple[SmallPicture, int | None]]:
    """Yield what the network sees of each frame, and the cut that is found there, or None."""
    for group, ahead in groups(pictures, working_size):
        following = [small.lightness for _, small in (*group, *ahead)]
        for index, (_, small) in enumerate(group, 1):
            yield small, detector.update(small.lightness, following[index:])


def look_ahead(
    decoder: Decoder, working_size: int, detector: CutDetector, first: int, wanted: Collection[int]
) -> tuple[list[int], dict[int, SmallPicture], int]:
    """Return the cuts of a video, what the network sees of some frames, and the number of the frame after the last.

    Parameters
    ----------
    decoder : Decoder
        The video.
    working_size : int
        Short side of what the network sees.
    detector : CutDetector
        What finds the cuts.
    first : int
        Number of the first frame.
    wanted : collection of int
        Numbers of the frames to return.
    """
    cuts: list[int] = []
    frames: dict[int, SmallPicture] = {}
    after = first
    for number, (small, cut) in enumerate(frames_and_cuts(decoder.pictures(), working_size, detector), first):
        if cut is not None:
            cuts.append(cut)
        if number in wanted:
            frames[number] = small
        after = number + 1
    return cuts, frames, after
