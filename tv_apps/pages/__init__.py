"""The pages of the portal, one module each: a pure function from what was read to a page."""
