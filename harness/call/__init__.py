"""One call: the script, the microphone, the ear, the chat, and the timeline that records all of it."""
