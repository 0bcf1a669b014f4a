"""The board: queue, linked cameras, community plan and the panel of one alarm."""
