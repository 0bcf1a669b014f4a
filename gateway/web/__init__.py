"""The shell of all HTTP servers: one middleware list, one error shape, templates, parameters, sessions."""
