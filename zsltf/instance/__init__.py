"""Instance transfer: which source examples help on the target; one method, one file."""
