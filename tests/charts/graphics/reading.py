"""A terminal's side of both protocols: reads Kitty's commands and sixels, strictly."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
SIXEL = re.compile(r'\x1bP0;1q"1;1;(\d+);(\d+)([^\x1b]*)\x1b\\')
COMMAND = re.compile(r"\x1b_G([a-zA-Z]=[^,;\x1b]+(?:,[a-zA-Z]=[^,;\x1b]+)*)(?:;([A-Za-z0-9+/=]*))?\x1b\\")


def sixels_read(text: str) -> Pixels:
    """The pixels that a sequence draws; each of them must be drawn, once."""
    found = SIXEL.fullmatch(text)
    assert found is not None, text[:80]
    width, height = int(found[1]), int(found[2])
    pixels = np.zeros((height, width, 3), np.uint8)
    drawn = np.zeros((height, width), np.int64)
    colours: dict[int, tuple[int, int, int]] = {}
    x = y = colour = 0
    for part in re.finditer(r"#(\d+);2;(\d+);(\d+);(\d+)|#(\d+)|!(\d+)([?-~])|([?-~])|(\$)|(-)|(.)", found[3]):
        assert part[11] is None, f"{part[11]!r} is no sixel"
        if part[1]:
            red, green, blue = (int(each) for each in part.group(2, 3, 4))
            assert max(red, green, blue) <= 100
            assert int(part[1]) < 256
            colours[int(part[1])] = round(red * 2.55), round(green * 2.55), round(blue * 2.55)
        elif part[5]:
            colour = int(part[5])
        elif part[9]:
            x = 0
        elif part[10]:
            x, y = 0, y + 6
        else:
            count, bits = (int(part[6]), ord(part[7]) - 63) if part[6] else (1, ord(part[8]) - 63)
            for bit in range(6):
                if bits >> bit & 1:
                    pixels[y + bit, x : x + count] = colours[colour]
                    drawn[y + bit, x : x + count] += 1
            x += count
            assert x <= width
    assert (drawn == 1).all()
    return pixels


@dataclass
class KittyTerminal:
    """What a terminal has after commands. images: pixels by number; placed: columns and rows by number."""

    images: dict[int, Pixels] = field(default_factory=dict)
    placed: dict[int, tuple[int, int]] = field(default_factory=dict)
    sent: int = 0  # images that came whole
    broken: int = 0
    _keys: dict[str, str] = field(default_factory=dict)
    _data: str = ""

    def take(self, text: str) -> str:
        """Obey the commands in a text; what else there is in it."""
        for found in COMMAND.finditer(text):
            self._obey(dict(each.split("=") for each in found[1].split(",")), found[2] or "")
        rest = COMMAND.sub("", text)
        assert "\x1b_" not in rest, rest
        return rest

    @property
    def receiving(self) -> bool:
        """Whether a picture has begun and not ended."""
        return bool(self._keys)

    def _obey(self, keys: dict[str, str], data: str) -> None:
        assert len(data) <= 4_096
        if keys.get("a") == "q":
            assert not self.receiving
            return
        if keys.get("a") == "d":
            assert not self.receiving, "a command between the chunks of a picture"
            assert (keys["d"], keys["q"]) == ("I", "2")
            self.images.pop(int(keys["i"]), None)
            self.placed.pop(int(keys["i"]), None)
            return
        if self.receiving:
            assert set(keys) == {"m"}
        else:
            assert keys["a"] == "T"
            assert (keys["U"], keys["f"], keys["q"]) == ("1", "100", "2")
            self._keys = keys
        self._data += data
        if keys["m"] == "1":
            assert len(data) % 4 == 0
        else:
            self._finish()

    def _finish(self) -> None:
        number, data = int(self._keys["i"]), base64.b64decode(self._data)
        size = int(self._keys["c"]), int(self._keys["r"])
        self._keys, self._data = {}, ""
        try:
            pixels = np.asarray(Image.open(io.BytesIO(data), formats=["PNG"]).convert("RGB"))
        except OSError:
            self.broken += 1
            return
        self.images[number], self.placed[number] = pixels, size
        self.sent += 1
