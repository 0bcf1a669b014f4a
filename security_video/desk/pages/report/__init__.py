"""The report: histograms of the work, live and by month, what went wrong and what is not done."""
