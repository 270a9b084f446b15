//! From a reference in the policy to the bytes of a component one may run.
//!
//! Leaves running them to `engine`.
