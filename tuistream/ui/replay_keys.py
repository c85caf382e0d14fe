"""The keys of a replay, and the one that goes to a time, of the app."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.widgets import Input

from tuistream.core.errors import SettingsError
from tuistream.ui.controls import ChartControls
from tuistream.ui.first_frame import PromptApp
from tuistream.ui.options import ViewOptions
from tuistream.ui.replaying import FORWARD_ONLY, Playback, sped, stepped
from tuistream.ui.status_line import local_time

if TYPE_CHECKING:
    from tuistream.ui.moment_input import MomentInput


class ReplayKeys(PromptApp):
    """What the app that shows the panels adds to this: the rest of the screen."""

    options: ViewOptions
    moment_input: MomentInput | None = None  # made when it is needed

    def say(self, text: str) -> None:
        raise NotImplementedError

    def beat(self, everything: bool = False) -> None:
        raise NotImplementedError

    async def show_input(self, line: Input) -> None:
        raise NotImplementedError

    def current_panel(self) -> ChartControls:
        """The panel that keys act on."""
        raise NotImplementedError

    def now(self) -> int:
        """Now by the clock of what is shown, ns: the recorder's, where a recording is replayed."""
        playback = self.options.playback
        return self.options.clock() if playback is None else playback.position()

    def replay(self, do: Callable[[Playback], str]) -> None:
        """Do something to the recording that is replayed, if there is one, and show what it did."""
        playback = self.options.playback
        if playback is None:
            self.say("for a recording that is replayed: tuistream replay FILE")
            return
        words = do(playback)
        self.beat(everything=True)
        self.say(words)

    def action_step(self, steps: int) -> None:
        self.replay(partial(stepped, steps=steps))

    def action_speed(self, steps: int) -> None:
        self.replay(partial(sped, steps=steps))

    async def action_go_to(self) -> None:
        playback = self.options.playback
        if playback is not None and playback.recorded:
            self.say(FORWARD_ONLY)
            return
        if self.moment_input is None:
            from tuistream.ui.moment_input import MomentInput

            self.moment_input = MomentInput()
            await self.show_input(self.moment_input)
        self.moment_input.open()

    def on_moment_input_given(self, message: MomentInput.Given) -> None:
        self.current_panel().focus()
        if not message.text:
            return
        from tuistream.core.moments import parse_moment

        playback, options = self.options.playback, self.options
        base = None if playback is None else playback.moment()
        try:
            moment = parse_moment(message.text, options.clock(), options.timezone, base)
        except SettingsError as error:
            self.say(str(error))
            return
        if playback is None:
            self.current_panel().go_to(moment)
        else:
            playback.go(moment)
            self.say(f"goes to {local_time(moment, options.timezone):%Y-%m-%d %H:%M:%S}")
