"""What `tuistream verify` checks, a file for each kind of thing that may be wrong."""
