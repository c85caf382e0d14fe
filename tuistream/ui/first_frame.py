"""The start of the screen: styles are worked out once, and what is painted first is what the first beat shows.

Textual 8.2 has all stylesheets parsed twice, all styles worked out twice, and the layout painted before anything is
in it: a third of the time from the app's start to the first chart. There is no public way to have the last otherwise,
so this file uses the private name `_compositor_refresh` of `Screen`. A test fails when it changes.
"""

from __future__ import annotations

from textual import events
from textual.screen import Screen

from tuistream.ui.suspending import SuspendingApp


class FirstScreen(Screen[None]):
    """A screen that is not painted before it is `filled`."""

    filled = False

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        if not self.filled:
            event.refresh_styles = False

    def _compositor_refresh(self) -> None:
        if self.filled:
            super()._compositor_refresh()


class PromptApp(SuspendingApp):
    """An app that fills its screen, by `beat`, as soon as the layout stands, and then has it painted."""

    def get_default_screen(self) -> Screen[None]:
        return FirstScreen(id="_default")

    def beat(self, everything: bool = False) -> None:
        """Bring the screen up to date."""
        raise NotImplementedError

    def refresh_css(self, animate: bool = True) -> None:
        """Parse the stylesheets for another theme. Before any has been parsed, only the theme is noted."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def on_ready(self) -> None:
        self.beat(everything=True)
        screen = self.screen_stack[0]
        assert isinstance(screen, FirstScreen)
        screen.filled = True
        screen.refresh(layout=True, repaint=False)
        self.call_after_refresh(self.beat)  # what the first beat has added has no size before
