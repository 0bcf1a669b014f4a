"""An imitated IP camera: pattern or clip over RTSP (H.264) and HTTP (MJPEG), with the faults of real ones."""
