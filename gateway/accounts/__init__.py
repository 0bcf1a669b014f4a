"""People who sign in: passwords, sessions, throttling of guesses, roles over an area subtree, audit."""
