"""Every limit of the wire in one place; beyond each of them a message is refused with its reason."""

#: A payload, MQTT or HTTP, is at most this long.
MAX_PAYLOAD_BYTES = 64 * 1024
#: Objects and lists stand at most this deep in one another; `{"p":{"t":1}}` is two deep.
MAX_DEPTH = 8
#: Whole numbers stay inside what every JSON reader keeps exactly (2^53 - 1).
MAX_WHOLE = 2**53 - 1
#: One sample carries at most this many properties.
MAX_PROPERTIES = 128
#: One history batch carries at most this many samples.
MAX_BATCH = 2000
#: A property value that is a text is at most this long; so is an id.
MAX_VALUE_CHARS = 256
MAX_ID_CHARS = 64
#: A name or a short sentence; and a whole text, such as a warning's description.
MAX_NAME_CHARS = 128
MAX_SENTENCE_CHARS = 512
MAX_TEXT_CHARS = 8192
#: The first and the year after the last in which a timestamp is believed.
FIRST_YEAR = 2000
END_YEAR = 2100
#: A description has at most this many parts, and a part this many properties, events or actions.
MAX_PARTS = 64
