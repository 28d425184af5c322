"""The animal: its anatomy, the optics of its organs, and light transport through them."""
