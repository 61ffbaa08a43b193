"""Frames of a video in groups, each with the frames that follow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TypeAlias

from labcolor.pictures.picture import Picture
from labcolor.pictures.small import SmallPicture
from labcolor.video.cuts import AHEAD

Frame: TypeAlias = tuple[Picture, SmallPicture]  # a frame, and what the network sees of it
_GROUP = 4  # frames that are colored together; the network sees only the last of them if they are similar


def groups(
    pictures: Iterable[Picture], working_size: int, ends: Collection[int] = ()
) -> Iterator[tuple[list[Frame], list[Frame]]]:
    """Yield groups of frames, each with the frames that follow it.

    Parameters
    ----------
    pictures : iterable of Picture
        The frames of a video.
    working_size : int
        Short side of what the network sees.
    ends : collection of int
        Numbers of pictures, from 0, with which a group begins.
    """
    frames = ((picture, SmallPicture.of(picture, working_size)) for picture in pictures)
    done = 0

    def taken() -> list[Frame]:
        nonlocal done
        group = list(islice(frames, min((end - done for end in ends if done < end < done + _GROUP), default=_GROUP)))
        done += len(group)
        return group

    group = taken()
    while group:
        ahead = taken()
        yield group, ahead[:AHEAD]
        group = ahead
