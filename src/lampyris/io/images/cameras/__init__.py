"""Files of scientific cameras: one frame, or many."""
