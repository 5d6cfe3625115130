"""A received document as people read it: one page of plain HTML, with nothing that a browser would run or fetch."""
