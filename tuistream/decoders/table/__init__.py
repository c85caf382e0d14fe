"""Rows of text: their cells, what a line may be, and what its cells are called."""
