"""Messages to a hub of each kind of panel: what there is at first, and what comes then, a frame at a time."""

from __future__ import annotations

import base64
import io
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from PIL import Image, ImageDraw

Message = dict[str, Any]

SECONDS: Final = 600  # of prices there are at first, one a second
BARS: Final = 12  # of each field; there at first 5 s from each other
NAMES: Final = ("cpu", "memory", "disk", "network", "threads", "sockets")
CITIES: Final = (
    ("Barcelona", 41.40338, 2.17403), ("Stockholm", 59.3293, 18.0686), ("Reykjavik", 64.1466, -21.9426),
    ("Nairobi", -1.2921, 36.8219), ("Tokyo", 35.6762, 139.6503), ("Sydney", -33.8688, 151.2093),
    ("Lima", -12.0464, -77.0428), ("Seattle", 47.6062, -122.3321), ("Cape Town", -33.9249, 18.4241),
)  # fmt: skip
PICTURE: Final = (640, 480)  # pixels
GRID: Final = (192, 108)  # columns and rows
WAVE: Final = (440, 1_000)  # Hz: what it is made of, and how often it is looked at


@dataclass(frozen=True, slots=True)
class Sample:
    """A stream that is shown as `kind`. first: messages that are there at first; then: those of a frame.

    stream: its id. chart: what `[[panels]]` must name, as the message alone does not; "" where it does.
    """

    kind: str
    stream: str
    first: Callable[[], Iterator[Message]]
    then: Callable[[int], list[Message]]
    chart: str = ""


def wire(messages: Iterator[Message] | list[Message]) -> bytes:
    return b"".join(json.dumps(message).encode() for message in messages)


def _now() -> float:
    return round(time.time(), 3)


def _priced(
    kind: str, chart: str = "", fields: tuple[str, ...] = ("price",), points: int = SECONDS, fill: bool = False
) -> Sample:
    """Walks of prices, of which so many points are shown."""
    chance = random.Random(kind)
    walks = {name: 100.0 + 7 * number for number, name in enumerate(fields)}
    named = {"id": kind, "name": f"{kind} of prices", "label": "EUR", "legend": list(fields)}
    about = {**named, "active_points": points, "fill": fill}

    def step(t: float) -> Message:
        for name in fields:
            walks[name] = round(walks[name] + chance.gauss(0, 0.25), 2)
        return {**about, "time": t, "value": list(walks.values())}

    def first() -> Iterator[Message]:
        now = _now()
        yield from (step(now - SECONDS + second) for second in range(SECONDS))

    return Sample(kind, kind, first, lambda _frame: [step(_now())], chart)


def _shares(kind: str, sent: str) -> Sample:
    """Numbers of one moment."""
    colours = ["#3e95cd", "#8e5ea2", "#3cba9f", "#e8c3b9", "#c45850", "#e0b040"]
    about = {"id": kind, "type": sent, "name": "load by part", "label": "%", "legend": list(NAMES)}

    def at(frame: int) -> list[Message]:
        values = [round(20 + 15 * math.sin(frame / 7 + 1.3 * number) + 4 * number, 1) for number in range(len(NAMES))]
        return [{**about, "borderColor": colours, "value": values}]

    return Sample(kind, kind, lambda: iter(at(0)), at)


def _few_bars(kind: str, sent: str) -> Sample:
    """Bars of two fields as they come."""
    about = {"id": kind, "type": sent, "name": "requests by result", "label": "1/s", "legend": ["ok", "failed"]}

    def at(frame: int, t: float) -> Message:
        ok = round(300 + 120 * math.sin(frame / 4), 1)
        value = [ok, round(40 + ok / 10 + 25 * math.cos(frame / 3), 1)]
        return {**about, "active_points": BARS, "time": t, "value": value}

    return Sample(
        kind,
        kind,
        lambda: (at(frame, _now() - 5 * (BARS - frame)) for frame in range(BARS)),
        lambda frame: [at(BARS + frame, _now())],
    )


def _heat_map() -> Sample:
    chance = random.Random(1)
    about = {"id": "heat-map", "type": "heatmap", "name": "clicks on a page", "width": GRID[0], "height": GRID[1]}

    def cell() -> Message:
        spot = chance.choice(((50, 30), (120, 60), (150, 85)))
        x, y = (min(size - 1, max(0, round(chance.gauss(at, 14)))) for at, size in zip(spot, GRID, strict=True))
        return {**about, "value": [x, y]}

    return Sample(
        "heat-map", "heat-map", lambda: (cell() for _ in range(6_000)), lambda _: [cell() for _ in range(20)]
    )


def _bubble() -> Sample:
    chance = random.Random(2)
    about = {"id": "bubble", "type": "bubble", "name": "size against price", "label": "area", "active_points": 60}

    def one() -> dict[str, float]:
        x = chance.uniform(30, 200)
        return {"x": round(x, 1), "y": round(x * chance.uniform(2, 4), 1), "r": round(chance.uniform(1, 12), 1)}

    return Sample(
        "bubble",
        "bubble",
        lambda: iter([{**about, "value": [one() for _ in range(60)]}]),
        lambda _: [{**about, "value": [one()]}],
    )


def _wave() -> Sample:
    """A sine with a weaker one and noise, for its spectrum."""
    chance = random.Random(3)
    about = {"id": "spectrum", "name": "vibration", "label": "g", "legend": ["z"], "active_points": 1_000}
    hertz, rate = WAVE
    start = time.time()
    sent = [0]

    def some(count: int) -> Iterator[Message]:
        for _ in range(count):
            sent[0] += 1
            t = sent[0] / rate
            value = math.sin(2 * math.pi * hertz / 4 * t) + 0.2 * math.sin(2 * math.pi * hertz * t)
            yield {**about, "time": round(start - 3 + t, 4), "value": [round(value + chance.gauss(0, 0.02), 4)]}

    return Sample("spectrum", "spectrum", lambda: some(2_000), lambda _: list(some(10)), "spectrum")


def _picture() -> Sample:
    about = {"id": "picture", "type": "image", "name": "a camera"}

    def at(frame: int) -> list[Message]:
        return [{**about, "value": f"data:image/png;base64,{base64.b64encode(drawn(frame)).decode()}"}]

    return Sample("picture", "picture", lambda: iter(at(0)), at)


def drawn(frame: int, size: tuple[int, int] = PICTURE, form: str = "PNG") -> bytes:
    """A sky, a hill and a sun that goes its way, as an encoded picture."""
    width, height = size
    sky = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", [sky.point(lambda v, low=low: low + v // 3) for low in (40, 90, 150)])
    draw = ImageDraw.Draw(picture)
    x, y = width * (frame % 100) / 100, height * (0.5 - 0.35 * math.sin(math.pi * (frame % 100) / 100))
    draw.ellipse((x - 40, y - 40, x + 40, y + 40), fill=(250, 210, 70))
    hill = [(at, height * (0.75 - 0.12 * math.sin(at / width * 9))) for at in range(0, width + 20, 20)]
    draw.polygon([(0, height), *hill, (width, height)], fill=(40, 110, 60))
    draw.text((20, 20), f"{frame:06d}", fill="white", font_size=48)
    out = io.BytesIO()
    picture.save(out, form)
    return out.getvalue()


def _map() -> Sample:
    about = {"id": "map", "type": "map", "name": "markers"}

    def at(frame: int) -> list[Message]:
        # As the old hub has it: a JavaScript literal, not JSON.
        turn = math.radians(5 * frame)
        places = [(name, lat, lng) for name, lat, lng in CITIES] + [
            ("a ship", 30 + 9 * math.sin(turn), -40.0 + frame)
        ]
        data = ", ".join(f'{{lat: {lat:.4f}, lng: {lng:.4f}, name: "{name}"}}' for name, lat, lng in places)
        return [{**about, "value": f"{{ center: {{lat: 20, lng: 10}}, zoom: 1, data: [{data}] }}"}]

    return Sample("map", "map", lambda: iter(at(0)), at)


def _figure() -> Sample:
    """As the Plotly figures of real programs are: an area over time, with a title and ranges."""
    chance = random.Random(4)
    prices = [*accumulate((chance.gauss(0, 1.5) for _ in range(299)), initial=2_400.0)]

    def at(frame: int) -> list[Message]:
        prices.append(prices[-1] + chance.gauss(0, 1.5))
        newest, now = prices[-300:], time.time()
        times = [time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(now - 60 * (300 - at))) for at in range(300)]
        smooth = [sum(newest[max(0, at - 14) : at + 1]) / min(15, at + 1) for at in range(300)]
        data = [
            {"type": "scatter", "mode": "lines", "fill": "tozeroy", "line": {"color": "lime"}, "name": "RIL.NS",
             "x": times, "y": newest},
            {"type": "scatter", "mode": "lines", "line": {"color": "red"}, "name": "mean of 15",
             "x": times, "y": smooth},
        ]  # fmt: skip
        buttons = [{"count": 1, "label": "1h", "step": "hour"}, {"label": "all", "step": "all"}]
        axes = {
            "xaxis": {"rangeslider": {"visible": True}, "rangeselector": {"buttons": buttons}},
            "yaxis": {"title": {"text": "Stock Price (INR)"}, "range": [min(newest) - 5, max(newest) + 5]},
        }
        return [{"id": "figure", "data": data, "layout": {"title": {"text": f"RIL.NS {frame}"}, **axes}}]

    return Sample("figure", "figure", lambda: iter(at(0)), at)


def _text() -> Sample:
    about = {"id": "text", "type": "text", "name": "a log"}
    words = ("connected", "took 12 ms", "retried after a timeout", "wrote 3 rows", "closed by its peer", "is late")

    def at(frame: int) -> list[Message]:
        return [{**about, "value": f"request {frame:,} from 10.0.0.{frame % 256} {words[frame % len(words)]}"}]

    return Sample(
        "text",
        "text",
        lambda: (message for frame in range(60) for message in at(frame)),
        lambda frame: at(60 + frame),
    )


def samples() -> dict[str, Sample]:
    """One of each kind, by its name, in the order in which they are shown."""
    two = ("bid", "ask")
    made = (
        _priced("line", fields=two),
        _priced("area", fill=True),
        _priced("step", "step", points=60),
        _priced("scatter", "scatter", fields=two),
        _few_bars("bars", "bar"),
        _few_bars("horizontal-bars", "horizontalBar"),
        _priced("candles", "candles"),
        _priced("histogram", "histogram"),
        _wave(),
        _heat_map(),
        _bubble(),
        _shares("pie", "pie"),
        _shares("doughnut", "doughnut"),
        _shares("radar", "radar"),
        _shares("polar-area", "polarArea"),
        _priced("number", "number"),
        _priced("sparkline", "sparkline", fields=two),
        _priced("table", "table", fields=two, points=60),
        _figure(),
        _picture(),
        _map(),
        _text(),
    )
    return {sample.kind: sample for sample in made}
