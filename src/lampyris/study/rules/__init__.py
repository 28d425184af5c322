"""Rules across the sheets and the settings: what is checked before anything is analysed."""
