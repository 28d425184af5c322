"""Pictures of the study on one shared scale: packed for the viewer, as films, as montages."""
