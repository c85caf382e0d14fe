"""What the listeners of a run share: who may send, how much, and what becomes of it."""
