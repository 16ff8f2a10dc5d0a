"""Playing a timeline with triggers that react to measurements."""
