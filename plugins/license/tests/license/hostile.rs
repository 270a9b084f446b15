//! Owns bad input in the places that are read.
