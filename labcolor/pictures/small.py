"""``SmallPicture``: the lightness of a picture at the working size, with black or white bars filled for the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from labcolor.base.typing import Array
from labcolor.color.chroma import Chroma, ContentBox
from labcolor.pictures.bars import fill_bars, find_content_box, refine_content_box
from labcolor.pictures.picture import Picture, working_shape


@dataclass(frozen=True, eq=False)
class SmallPicture:
    """A picture at the working size, created once for each picture or frame.

    Parameters
    ----------
    lightness : ndarray, shape (h, w), float32
        L in [0, 100]. Next to sharp edges it may slightly exceed the range.
    content_box : (rows, columns)
        The content between bars, as two slices in pixels of the picture.
    shape : (H, W)
        Size of the picture.
    """

    lightness: Array
    content_box: ContentBox
    shape: tuple[int, int]

    @classmethod
    def of(cls, picture: Picture, working_size: int) -> SmallPicture:
        """Reduce a picture so that its short side is ``working_size``."""
        lightness = picture.small_lightness(*working_shape(picture.shape, working_size))
        return cls(lightness, refine_content_box(find_content_box(lightness), lightness.shape, picture), picture.shape)

    def reduced(self, size: int) -> SmallPicture:
        """Reduce the picture further, to a short side of ``size``."""
        height, width = working_shape(self.lightness.shape, size)
        # the triangle filter of Keras's antialiased resizing, with which the packaged model learned its overview
        lightness = Image.fromarray(self.lightness).resize((width, height), Image.Resampling.BILINEAR)
        return SmallPicture(np.asarray(lightness), self.content_box, self.shape)

    def mirrored(self) -> SmallPicture:
        """Mirror the picture left to right."""
        rows, columns = self.content_box
        width = self.shape[1]
        content_box = rows, slice(width - columns.stop, width - columns.start)
        return SmallPicture(self.lightness[:, ::-1], content_box, self.shape)

    def chroma(self, ab: Array, stride: int) -> Chroma:
        """Return the chroma of a map of ab, (h, w, 2), whose pixels are ``stride`` pixels of lightness wide."""
        return Chroma(ab, self.chroma_scale(stride), self.content_box)

    def chroma_scale(self, stride: int) -> tuple[float, float]:
        """Return the height and width of a pixel of the picture, measured in pixels of its chroma."""
        return self.lightness.shape[0] / (stride * self.shape[0]), self.lightness.shape[1] / (stride * self.shape[1])

    def chroma_shape(self, stride: int) -> tuple[int, int]:
        """Return the size of its chroma, rounded up."""
        height, width = self.lightness.shape
        return -(-height // stride), -(-width // stride)

    def coarse_lightness(self, stride: int) -> Array:
        """Return the mean L of each pixel of its chroma, (h, w) float32, of :meth:`chroma_shape`."""
        rows, columns = self.chroma_shape(stride)
        height, width = self.lightness.shape
        whole = np.pad(self.lightness, ((0, rows * stride - height), (0, columns * stride - width)), "edge")
        return np.asarray(whole.reshape(rows, stride, columns, stride).mean(axis=(1, 3)), np.float32)

    def padded_shape(self, multiple: int) -> tuple[int, int]:
        """Return its size, rounded up to multiples of ``multiple``."""
        height, width = self.lightness.shape
        return -(-height // multiple) * multiple, -(-width // multiple) * multiple

    def between_bars(self) -> ContentBox:
        """Return the part of its lightness between bars, as two slices, without the mixed pixels next to a bar."""
        rows, columns = (
            slice(
                part.start * small // side + 1 if part.start > 0 else 0,
                -(-part.stop * small // side) - 1 if part.stop < side else small,
            )
            for part, small, side in zip(self.content_box, self.lightness.shape, self.shape, strict=True)
        )
        return rows, columns

    def padded(self, multiple: int) -> Array:
        """Extend its lightness by reflection over the bars, and to multiples of a number."""
        return fill_bars(self.lightness, *self.between_bars(), self.padded_shape(multiple))

    def cropped(self, values: Array, stride: int) -> Array:
        """Crop values at ``1 / stride`` of the size of :meth:`padded` to :meth:`chroma_shape`.

        Values in bars are kept. They continue those of the content, which is cropped exactly at full size.
        """
        rows, columns = self.chroma_shape(stride)
        return values[:rows, :columns]
