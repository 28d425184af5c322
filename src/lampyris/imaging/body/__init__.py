"""Where the animal lies: found in a photograph, laid on the nominal one, apart from its neighbours."""
