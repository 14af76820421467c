"""Laws of pictures, and the faults that they are there to find."""
