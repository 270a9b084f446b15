//! Owns the tests of the check, a module for each format.

mod archives;
mod companions;
mod corpus;
mod gguf;
mod glue;
mod keras;
mod manifest;
mod npy;
mod numbers;
mod onnx;
mod safetensors;
mod stores;
mod support;
mod tensorflow;
mod texts;
mod tflite;
