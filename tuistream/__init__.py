"""Watch and record live streams of numbers in a terminal."""

__version__ = "0.1.0"
