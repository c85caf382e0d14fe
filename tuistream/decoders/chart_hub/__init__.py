"""The parts of the hub's messages: values, looks, and maps as JavaScript writes them."""
