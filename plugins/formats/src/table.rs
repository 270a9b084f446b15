//! Owns the list of formats and the order in which they are tried: what decides
//! is the content, never the name. Leaves each format to its own file.

use modelhost_check::Rule;

use crate::found::{Found, Stop};
use crate::source::Source;
use crate::{
    archive, companions, gguf, hdf5, media, messages, npy, numbers, onnx, pictures, rds, rules,
    safetensors, stores, tensorflow, text, tflite,
};

/// Tells from a file's first bytes whether it is of a format.
pub type Recognise = fn(&[u8]) -> bool;
/// Walks all that the format's loaders follow.
pub type Walk = fn(&dyn Source, &mut Found) -> Result<(), Stop>;

/// One format.
pub struct Format {
    /// Its name in facts and messages.
    pub name: &'static str,
    recognise: Recognise,
    /// Walks a file of it.
    pub walk: Walk,
    /// Whether files of it are no models: then one whose structure does not hold is
    /// left unjudged, and not called a broken model.
    pub companion: bool,
}

impl Format {
    const fn new(name: &'static str, recognise: Recognise, walk: Walk) -> Self {
        Self { name, recognise, walk, companion: false }
    }

    const fn companion(name: &'static str, recognise: Recognise, walk: Walk) -> Self {
        Self { name, recognise, walk, companion: true }
    }
}

/// Archives, which are also found from their end.
pub const ARCHIVE: Format = Format::new("zip archive", archive::recognise, archive::walk);
/// Texts, which are looked at where nothing else is found.
pub const TEXT: Format = Format::companion("text", text::recognise, text::walk);
/// HDF5 that stands behind other content; it is found by its place, not by the head.
pub const BEHIND: Format = Format::new("HDF5 behind other content", |_| false, hdf5::walk);
/// The name of HDF5.
pub const HDF5: &str = "HDF5";
/// The rules that say that something runs or reaches outside: no accident of
/// bytes that look like a format.
pub const MEANT: &[Rule] = &[
    rules::CODE_LAYER,
    rules::CODE_OPERATOR,
    rules::EXTERNAL_PATH,
    rules::FILE_OPERATOR,
    rules::FOREIGN_MODULE,
    rules::PICKLED_TYPE,
];

/// In the order tried: formats with a magic first, then those that are told by
/// their first fields.
const FORMATS: &[Format] = &[
    Format::new("GGUF", gguf::recognise, gguf::walk),
    Format::new("npy", npy::recognise, npy::walk),
    Format::new(HDF5, hdf5::recognise, hdf5::walk),
    // Begins with a number, which may be what others have for a magic: a header of 256
    // bytes begins as a font does.
    Format::new("safetensors", safetensors::recognise, safetensors::walk),
    ARCHIVE,
    Format::new("TFLite", tflite::recognise, tflite::walk),
    Format::companion("PNG", media::is_png, media::png),
    Format::companion("JPEG", media::is_jpeg, media::jpeg),
    Format::companion("GIF", media::is_gif, media::gif),
    Format::companion("RIFF", media::is_riff, media::riff),
    Format::companion("FLAC", media::is_flac, media::flac),
    Format::companion("Ogg", media::is_ogg, media::ogg),
    Format::companion("MP4", media::is_mp4, media::mp4),
    Format::companion("MP3", media::is_mp3, media::mp3),
    Format::companion("icon", pictures::is_icon, pictures::icon),
    Format::companion("bitmap", pictures::is_bitmap, pictures::bitmap),
    Format::companion("TIFF", pictures::is_tiff, pictures::tiff),
    Format::companion("font", pictures::is_font, pictures::font),
    Format::companion("WOFF", pictures::is_woff, pictures::woff),
    Format::companion("Matroska", pictures::is_matroska, pictures::matroska),
    Format::companion("PDF", companions::is_pdf, companions::pdf),
    Format::companion("Parquet", companions::is_parquet, companions::parquet),
    Format::companion("Arrow", companions::is_arrow, companions::arrow),
    Format::companion("Arrow stream", companions::is_arrow_stream, companions::arrow_stream),
    Format::companion("SQLite", stores::is_sqlite, stores::sqlite),
    Format::companion("CatBoost", stores::is_catboost, stores::catboost),
    Format::companion("faiss", stores::is_faiss, stores::faiss),
    Format::companion("R", rds::recognise, rds::walk),
    Format::new("ONNX", onnx::recognise, onnx::walk),
    Format::companion("ONNX tensor", onnx::recognise_tensor, onnx::walk_tensor),
    Format::new("Core ML", messages::is_coreml, messages::coreml),
    Format::companion("fingerprint", messages::is_fingerprint, messages::fingerprint),
    Format::new("Keras metadata", messages::is_keras_metadata, messages::keras_metadata),
    Format::new("SavedModel", tensorflow::recognise_saved, tensorflow::walk_saved),
    Format::new("TensorFlow meta graph", tensorflow::recognise_meta, tensorflow::walk_meta),
    Format::new("TensorFlow graph", tensorflow::recognise_graph, tensorflow::walk_graph),
    Format::companion("sentencepiece", companions::is_sentencepiece, companions::sentencepiece),
    Format::companion("UBJSON", stores::is_ubjson, stores::ubjson),
    Format::companion("Core ML weights", stores::is_coreml_weights, stores::coreml_weights),
    Format::companion("TensorFlow records", stores::is_records, stores::records),
    Format::companion("MessagePack", companions::is_msgpack, companions::msgpack),
    Format::companion("checkpoint index", companions::is_index, companions::index),
    Format::companion("zeros", companions::is_zeros, companions::zeros),
    Format::companion("32-bit numbers", numbers::recognise, numbers::walk),
];

/// Returns the format of a file that begins with `head`.
pub fn find(head: &[u8]) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.recognise)(head))
}
