//! The labelled corpus of model files through the host and the bundled plugins.
