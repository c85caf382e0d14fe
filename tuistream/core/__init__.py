"""Ticks in memory: batches, series, the session and its counters. No I/O."""
