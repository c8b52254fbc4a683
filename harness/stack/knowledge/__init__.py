"""Documents that an agent answers from: read into passages, and searched for the passage that answers a question.

    read_document(name, data) ──► Document (its passages) ──► Index.of([…]) ──► Found, or None
    reading.py                    passages.py                 index.py

Reading runs in a child process with limits (`reader.py`), because a document may come from anyone. A document's text is
data: nothing in it is ever treated as an instruction or as part of a prompt. `Index` is imported from `index.py`, as it
needs the packages of the extra `stack`. In the stack it runs in the speech worker, which holds the embeddings
(`library.py`).
"""

from harness.stack.knowledge.passages import Document, Found, Passage, load_passages, store_passages
from harness.stack.knowledge.reading import read_document, read_file

__all__ = ["Document", "Found", "Passage", "load_passages", "read_document", "read_file", "store_passages"]
