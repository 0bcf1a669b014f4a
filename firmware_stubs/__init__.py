"""The simulated outside world: buttons, boxes, sensors, meters and cameras that know only the contract."""
