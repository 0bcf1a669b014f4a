import io
import json
import logging

from gateway.runtime import logs


def test_a_log_line_is_json_with_its_facts_and_without_secrets() -> None:
    """An event and its facts stand in one JSON line; what looks like a secret is masked."""
    stream = io.StringIO()
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logs.configure("test", "INFO", stream)
        logs.get("here").info("signed_in", name="周敏", password="hunter2")
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["name"], line["password"]) == ("signed_in", "周敏", "***")
