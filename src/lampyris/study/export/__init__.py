"""Results to take away: images, tables, regions and a crate in a folder for other programs. No science."""
