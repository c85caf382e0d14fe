"""Many cells with colours of their own as sequences for the terminal, a step at a time for all of them together."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from tuistream.ui.inks import COLOUR, COLOUR_BITS, DIRECT, RESET, Inks

BLANK: Final = 0x20


def sequences(
    inks: Inks, places: NDArray[np.int64], codes: NDArray[np.int64], numbers: NDArray[np.int64], width: int
) -> tuple[str, int]:
    """The text that draws cells, and the number of the style in which it leaves the terminal.

    places: rising, counted by rows of `width`; codes: code points of one cell each; numbers: direct ones of `inks`.
    At least one cell.
    """
    fore, back = numbers >> COLOUR_BITS & COLOUR, numbers & COLOUR
    # A blank has no colour of its own: it keeps that of the glyph before it.
    glyphs = np.maximum.accumulate(np.where(codes == BLANK, -1, np.arange(len(codes))))
    fore = np.where(glyphs >= 0, fore[np.maximum(glyphs, 0)], 0)
    jumps = np.concatenate(([True], (np.diff(places) != 1) | (places[1:] % width == 0)))
    other_fore = np.concatenate((fore[:1] != 0, fore[1:] != fore[:-1]))
    other_back = np.concatenate((back[:1] != 0, back[1:] != back[:-1]))
    fore_codes = _looked_up(inks, fore, 30)
    back_codes = _looked_up(inks, back, 40)
    parts = [RESET]
    # What a cell has in common with the one before it is not said again.
    cuts = np.flatnonzero(jumps | other_fore | other_back)
    ends = [*cuts[1:].tolist(), len(codes)]
    text = codes.astype("<u4").tobytes().decode("utf-32-le")
    for cut, end, place, jump, to_fore, to_back, one, other in zip(
        cuts.tolist(),
        ends,
        places[cuts].tolist(),
        jumps[cuts].tolist(),
        other_fore[cuts].tolist(),
        other_back[cuts].tolist(),
        fore_codes[cuts].tolist(),
        back_codes[cuts].tolist(),
        strict=True,
    ):
        if jump:
            parts.append(f"\x1b[{place // width + 1};{place % width + 1}H")
        if to_fore:
            parts.append(f"\x1b[{one};{other}m" if to_back else f"\x1b[{one}m")
        elif to_back:
            parts.append(f"\x1b[{other}m")
        parts.append(text[cut:end])
    return "".join(parts), int(DIRECT | fore[-1] << COLOUR_BITS | back[-1])


def _looked_up(inks: Inks, packed: NDArray[np.int64], ground: int) -> NDArray[np.object_]:
    """The code of each colour; each different one is made once."""
    different, which = np.unique(packed, return_inverse=True)
    known = [inks.colour_code(each, ground) or str(ground + 9) for each in different.tolist()]
    return np.array(known, dtype=object)[which]
