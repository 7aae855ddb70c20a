"""Training an encoder from plain text and pairs: pieces, table, transformer, similarity, export."""
