"""Places of pictures: their colors, their labels, and how well each is reconstructed."""
