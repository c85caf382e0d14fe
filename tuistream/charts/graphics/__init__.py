"""Pictures in pixels, for terminals that show such: as commands of Kitty's protocol, or as sixels. Pure."""
