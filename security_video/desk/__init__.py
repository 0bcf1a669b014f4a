"""The security desk: the operator's pages, the alarm feed, and the steps that an operator takes."""
