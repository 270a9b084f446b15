"""The cases of the corpus, a module a group."""
