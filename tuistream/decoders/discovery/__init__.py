"""How the fields of unknown frames are found."""
