"""What messages name outside of themselves: whether it may be opened, and how it is."""
