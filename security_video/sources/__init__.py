"""Where pictures come from: test card, file, folder, RTSP, HTTP MJPEG; one shape for all."""
