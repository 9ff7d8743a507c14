"""Catalogs: the page's English words, in other languages. One file a language, held complete by a test."""
