"""What every television page is made of: tokens, icons, boxes, focus graph, shell, alarm layer, gates."""
