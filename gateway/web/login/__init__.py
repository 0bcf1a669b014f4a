"""The sign-in page that the desk, the developer page and the officials' page share."""
