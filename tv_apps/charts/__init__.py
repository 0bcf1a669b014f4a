"""Charts for the television: one list of shapes, drawn as SVG or as PNG, with a sentence and a table beside it."""
