"""What hostile pictures, figures, maps and grids do to a `tuistream listen` in a terminal: counted, kept, shown."""

from __future__ import annotations

import base64
import gzip
import json
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.bench.console import resident_mb
from tests.bench.hostile import GOOD, NEVER, Case, framed, message
from tests.bench.listening import Listening
from tests.bench.samples import drawn
from tests.bench.table import Row

Json = Mapping[str, Any]

HEADS = ("what was sent", "wanted", "counted; memory; a key after it", "the screen showed")
WANTED: Final = "counted; said; the next is shown"
MOST_MB: Final = 700  # of a program that has taken the worst of these
PNG: Final = b"\x89PNG\r\n\x1a\n"
ESCAPES: Final = "\x1b]0;owned\x07[bold red]x[/]\u202eabc\u2066"
HARMLESS: Final = r"·\]0;owned·\[bold red\]x\[/\]·abc·"
KEY, ANSWER = "b", "bytes to the terminal shown"


def chunk(name: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """Of 8 bits and RGB."""
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes((8, 2, 0, 0, 0))
    return PNG + chunk(b"IHDR", header) + b"".join(chunks) + chunk(b"IEND", b"")


def zeros(mb: int) -> bytes:
    """So many MB of zeros, compressed: a thousandth of that."""
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(mb)) + packer.flush()


def picture(data: bytes, kind: str = "png") -> bytes:
    return message(type="image", name="hostile", value=f"data:image/{kind};base64,{base64.b64encode(data).decode()}")


def gif(frames: int) -> bytes:
    """A pixel, so many times. Source: GIF89a, sections 18 to 23."""
    frame = b"\x21\xf9\x04\x00\x01\x00\x00\x00,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0"
    return b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff" + frame * frames + b";"


def figure(*traces: Json, **layout: object) -> bytes:
    return json.dumps({"id": "figure", "data": traces, "layout": layout}).encode()


def packed(dtype: str, data: bytes, **more: str) -> Json:
    return {"y": {"dtype": dtype, "bdata": base64.b64encode(data).decode(), **more}}


def case(what: str, shown: str, *wire: bytes, **counted: int) -> Case:
    """Messages that are all accepted, where nothing else is said. What is long goes as frames."""
    long = any(len(each) > 1_000_000 for each in wire)
    way, wire = ("frames", tuple(map(framed, wire))) if long else ("tcp", wire)
    return Case(what, way, wire, counted or {"accepted": len(wire)}, tuple(shown.split("  ...  ")))


def pictures(short: bool) -> Iterator[Case]:
    many, bomb = (10_000, 16) if short else (1_000_000, 256)
    yield case(
        "PNG of 100,000 x 100,000",
        "a picture of 100,000 x 100,000 pixels is over the limit of 40,000,000",
        picture(png(100_000, 100_000)),
    )
    in_data = png(64, 64, chunk(b"IDAT", zeros(bomb)))
    yield case(f"PNG of 64 x 64 with {bomb} MB of zeros in IDAT", "64 x 64", picture(in_data))
    texts = chunk(b"iTXt", b"a\0\1\0\0\0" + zeros(bomb)), chunk(b"zTXt", b"a\0\0" + zeros(bomb))
    in_text = png(64, 64, *texts, chunk(b"IDAT", zeros(1)))
    yield case(f"PNG with {bomb} MB of zeros in iTXt and in zTXt", "64 x 64", picture(in_text))
    yield case("half a PNG", "hostile", picture(drawn(0)[:2_000]))
    yield case("zlib and gzip of zeros as PNG", "hostile", picture(zeros(1)), picture(gzip.compress(bytes(1 << 20))))
    frame = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc\x03" + bytes(40)
    yield case("JPEG of 65,500 x 65,500", "over the limit of 40,000,000", picture(frame, "jpeg"))
    yield case(f"GIF of {many:,} frames", "GIF  1 x 1", picture(gif(many), "gif"))
    yield case("SVG with a script", "SVG", picture(b"<svg onload='alert(1)'><script/></svg>", "svg+xml"))


def figures(short: bool) -> Iterator[Case]:
    many = 100_000 if short else 10_000_000
    small = packed("i1", bytes(range(100)) * (many // 100))
    yield case(f"figure of {many:,} points, packed", "1 trace  scatter", figure(small))
    yield case(
        f"figure of {many:,} points, as a list", f"newest 20,000 of {many:,}", figure({"y": [1, 2] * (many // 2)})
    )
    odd: list[Any] = [1e308, -1e308, None, "x", "1e999", {}, [], True]
    huge = figure({"y": odd, "x": [0, 1e308, "9" * 400, "99999-99-99"]})
    ages = figure({"y": [1, 2], "x": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]})
    yield case("figure of 1e308, -1e308, null, texts, years 1 and 9999", "1 trace  scatter", huge, ages)
    yield case("figure of NaN and Infinity", "good", b'{"data":[{"y":[NaN,Infinity]}],"layout":{}}', GOOD)
    layers = b'{"data":[{"y":[1]}],"layout":' + b'{"a":' * 300 + b"1" + b"}" * 301
    lists = b'{"data":' + b"[" * 90_000 + b"]" * 90_000 + b',"layout":{}}'
    yield case(
        "figures 300 and 90,000 deep", "refused.*deep  ...  good", layers, lists, GOOD, accepted=1, malformed=2
    )
    unknown: list[Json] = [{"type": "mesh3d", "i": 1}, {"type": 7}, {"type": ["x"], "y": 1}, {"type": ESCAPES}]
    yield case("figure of unknown and broken traces", "mesh3d", figure(*unknown))
    broken: list[Json] = [
        packed("O", b"12345678"), packed("f8", b"1234567"), packed("f16", bytes(32)), packed("<f8", bytes(16)),
        packed("f8", bytes(80), shape="100000,100000"), {"y": {"dtype": "f8", "bdata": "no base64!"}},
        {"y": {"dtype": ["f8"], "bdata": {}}}, packed("f8", b"\xff" * 80),
    ]  # fmt: skip
    yield case("figure of bdata with wrong types, lengths, shapes", "8 traces  scatter", figure(*broken))
    named: Json = {"y": [1, 2], "name": ESCAPES}
    yield case("figure of 10,000 traces", "10,000 traces", figure(*[named] * 10_000))
    ranges = {"rangeselector": {"buttons": [{"label": ESCAPES}]}}
    yield case(
        "figure whose names are escapes, markup, bidi", HARMLESS, figure(named, named, title=ESCAPES, xaxis=ranges)
    )


def maps(short: bool) -> Iterator[Case]:
    many = 20_000 if short else 1_000_000
    markers = message(type="map", value={"data": [{"lat": 41.5, "lng": 2.25}] * many})
    yield case(f"map of {many:,} markers, as JSON", f"{many - 10_000:,} more not shown", markers)
    literal = message(type="map", value="{data: [" + "{lat: 41.5, lng: 2.25}," * many + "]}")
    refused = {} if short else {"accepted": 1, "field": 1}
    yield case(f"map of {many:,} markers, as JavaScript", "good", literal, GOOD, **refused)
    programs = (
        "__import__('os').mkdir('made')", "(() => 1)()", "{data: [fetch('/')]}", "{data: `${1}`}", "{zoom: 1+1}",
        "{data: [" * 5_000, "{a: /x/}", "{get data() {return []}}", "\u202e" * 99,
    )  # fmt: skip
    wires = [message(type="map", value=each) for each in programs]
    yield case("maps that are programs", "refused.*no map  ...  good", *wires, GOOD, accepted=1, field=len(wires))
    nowhere = ({"lat": 91, "lng": 0}, {"lat": 0, "lng": 1e9}, {"lat": None, "lng": 0}, {"lat": "x", "lng": []}, 7)
    wires = [message(type="map", value={"data": [each]}) for each in nowhere]
    yield case(
        "maps with latitudes of 91, longitudes of 1e9, none",
        "refused.*lat from -90 to 90  ...  good",
        *wires,
        GOOD,
        accepted=1,
        field=len(wires),
    )
    poles = [{"lat": lat, "lng": lng, "name": ESCAPES, "color": ESCAPES} for lat in (-90, 90) for lng in (-360, 360)]
    near = message(type="map", value={"data": poles, "zoom": 30, "center": poles[0]})
    yield case("map of the poles, with names of escapes", "4 markers", near)


def grids(short: bool) -> Iterator[Case]:
    wires = [message(type="heatmap", width=100_000, height=100_000, value=[n * 999, n * 999]) for n in range(100)]
    yield case("heat map of 100,000 x 100,000", "100,000 x 100,000 as 511 x 511", *wires)
    beyond = [[1e9, 0], [-1, -1], [1e300, 1e300], [0.5, 0.5]]
    wires = [message(type="heatmap", width=10, height=10, value=each) for each in beyond]
    yield case("cells outside of the grid", "3 outside", *wires)
    side = 100 if short else 2_000
    square = [[row * column % 97 for column in range(side)] for row in range(side)]
    yield case(
        f"figure with a grid of {side:,} x {side:,}", "1 trace  heatmap", figure({"type": "heatmap", "z": square})
    )
    ragged = [[1], [1, 2, 3], [], None, "x", [[1]], {"0": 1}, [None, 1e308, -1e308]]
    uneven = figure({"type": "heatmap", "z": ragged, "x": [ESCAPES], "y": {"a": 1}})
    yield case("figure with a ragged grid", "1 trace  heatmap", uneven)
    shaped = {"dtype": "f8", "bdata": "AAAA", "shape": "100000,100000"}
    yield case(
        "figure with a grid said to be 1e5 x 1e5", "1 trace  heatmap", figure({"type": "heatmap", "z": shaped})
    )


def sent(one: Case) -> Row:
    """Send a case, and something good after it; see what came of both, and press a key."""
    with Listening(*one.options) as listening:
        before = resident_mb(listening.pid)
        listening.type("e")
        for wire in one.wire if one.way == "http" else [b"".join(one.wire)]:
            listening.send(one.way, wire)
        listening.look(lambda: listening.counted(one.way) == one.counted)
        shown = listening.shown(*one.shown)
        listening.send("http", b'{"id":"after","value":1}')
        listening.shown("after")
        pressed = time.perf_counter()
        listening.type(KEY)
        listening.shown(ANSWER)
        delay = time.perf_counter() - pressed
        after = resident_mb(listening.pid)
        listening.type("q")
        code = listening.end()
        wrong = [f"{each!r} reached the terminal" for each in NEVER if each in listening.raw]
    wrong += [f"exit code {code}"] * (code != 0) + [f"{after:.0f} MB"] * (after > MOST_MB)
    counted = ", ".join(f"{count:,} {name}" for name, count in one.counted.items())
    figures = f"{counted}; {before:.0f} to {after:.0f} MB; {1e3 * delay:.0f} ms"
    return Row(one.what, WANTED, figures, "   ".join(shown), "; ".join(wrong))


def tried(one: Case) -> Row:
    try:
        return sent(one)
    except AssertionError as error:
        print(error, file=sys.stderr)
        return Row(one.what, WANTED, "", "", f"not so: {one.counted}, {', '.join(one.shown)}")


def rows(short: bool = False) -> list[Row]:
    every = [pictures(short), figures(short), maps(short), grids(short)]
    return [tried(each) for cases in every for each in ([next(cases)] if short else cases)]
