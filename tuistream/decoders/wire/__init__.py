"""What every decoder needs: JSON out of frames, numbers, times, and rows that become batches."""
