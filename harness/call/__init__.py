"""One call: the script, the microphone, the ear, the chat, and the timeline on which all of it is written."""
