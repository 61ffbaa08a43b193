"""Printing density of film scans: the Cineon curve between the codes of a logarithmic scan and linear light.

Kodak, "Conversion of 10-bit Log Film Data to 8-bit Linear or Video Data for the Cineon Digital Film System", 1995. Of
10 bits, code 95 is the base of the negative and becomes black; 685 is 90 % white. A code is 0.002 of density, and the
negative has gamma 0.6. SMPTE ST 268 numbers this transfer 1, "printing density".
"""

from __future__ import annotations

import numpy as np

from labcolor.base.typing import Array

__all__ = ["BLACK", "WHITE", "density_to_linear", "linear_to_density"]

BLACK, WHITE = 95, 685  # codes of 10 bits
_CODES_PER_DECADE = 0.6 / 0.002  # gamma of the negative by density of a code
_BASE = 10 ** ((BLACK - WHITE) / _CODES_PER_DECADE)  # light of the black code, which the curve subtracts


def density_to_linear(codes: Array) -> Array:
    """Return linear light for codes of 10 bits: 0 up to code 95, and 1 from code 685 on."""
    light = 10 ** ((np.clip(codes, BLACK, WHITE) - WHITE) / _CODES_PER_DECADE)
    return np.asarray((light - _BASE) / (1 - _BASE))


def linear_to_density(light: Array) -> Array:
    """Return the codes of 10 bits, not rounded, for linear light in [0, 1]."""
    return np.asarray(WHITE + _CODES_PER_DECADE * np.log10(light * (1 - _BASE) + _BASE))
