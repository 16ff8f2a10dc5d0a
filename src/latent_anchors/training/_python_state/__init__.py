"""What Python holds that a step may read: found, compared and put in words."""
