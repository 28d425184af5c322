"""What light the nominal animal would show: of a labelled cell anywhere in it, of its organs, of a point below the skin."""
