"""Pages of the desk, one folder for each screen: view.py, page.html, page.js, page.css."""
