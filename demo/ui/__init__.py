"""Layout and wiring only: with app.py and demo/server.py the only importers of gradio."""
