//! Owns the list of formats and the order in which they are tried: what decides
//! is the content, never the name. Leaves each format to its own file.

use modelhost_check::{Answer, Failure, File, Finding, Location, Observations, ReadError};

use crate::found::{Defect, Found, Stop};
use crate::source::Source;
use crate::{
    companions, gguf, hdf5, keras_zip, media, npy, onnx, polyglot, safetensors, tensorflow, tflite,
};

/// How much of a file is read to recognise its format.
const HEAD: u64 = 4096;

/// Tells from a file's first bytes whether it is of a format.
type Recognise = fn(&[u8]) -> bool;
/// Walks all that the format's loaders follow.
type Walk = fn(&dyn Source, &mut Found) -> Result<(), Stop>;

/// One format.
struct Format {
    /// Its name in facts and messages.
    name: &'static str,
    recognise: Recognise,
    walk: Walk,
    /// Whether files of it are no models: then one whose structure does not hold is
    /// left unjudged, and not called a broken model.
    companion: bool,
}

impl Format {
    const fn new(name: &'static str, recognise: Recognise, walk: Walk) -> Self {
        Self {
            name,
            recognise,
            walk,
            companion: false,
        }
    }

    const fn companion(name: &'static str, recognise: Recognise, walk: Walk) -> Self {
        Self {
            name,
            recognise,
            walk,
            companion: true,
        }
    }
}

/// Archives, of which those that hold Keras models are walked.
const ARCHIVE: Format = Format::new("Keras", keras_zip::recognise, keras_zip::walk);

/// In the order tried: formats with a magic first, then those that are told by
/// their first fields.
const FORMATS: &[Format] = &[
    Format::new("GGUF", gguf::recognise, gguf::walk),
    Format::new("npy", npy::recognise, npy::walk),
    Format::new("HDF5", hdf5::recognise, hdf5::walk),
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
    Format::companion("PDF", companions::is_pdf, companions::pdf),
    Format::companion("Parquet", companions::is_parquet, companions::parquet),
    Format::companion("Arrow", companions::is_arrow, companions::arrow),
    Format::new("safetensors", safetensors::recognise, safetensors::walk),
    Format::new("ONNX", onnx::recognise, onnx::walk),
    Format::new(
        "SavedModel",
        tensorflow::recognise_saved,
        tensorflow::walk_saved,
    ),
    Format::new(
        "TensorFlow graph",
        tensorflow::recognise_graph,
        tensorflow::walk_graph,
    ),
    Format::companion(
        "sentencepiece",
        companions::is_sentencepiece,
        companions::sentencepiece,
    ),
    Format::companion("MessagePack", companions::is_msgpack, companions::msgpack),
    Format::companion("checkpoint index", companions::is_index, companions::index),
];

/// What there is to say of one file.
#[derive(Debug)]
pub enum Judgement {
    /// It was walked as a file of this format.
    Walked(&'static str, Vec<Defect>),
    /// It is none that this check judges.
    NotOurs(String),
    /// It is of a known format, in a variant that can't be judged.
    Unsupported(String),
    /// It could not be read.
    Unreadable(ReadError),
}

/// Judges one file.
pub fn judge(source: &dyn Source) -> Judgement {
    match try_judge(source) {
        Ok(judgement) => judgement,
        Err(error) => Judgement::Unreadable(error),
    }
}

fn try_judge(source: &dyn Source) -> Result<Judgement, ReadError> {
    // At most HEAD, so it fits.
    let length = usize::try_from(source.size().min(HEAD)).unwrap_or(0);
    let head = source.read_at(0, length)?;
    // Archives are found from their end, too.
    let known = FORMATS.iter().find(|format| (format.recognise)(&head));
    let format = known.unwrap_or(&ARCHIVE);
    let mut found = Found::default();
    let walked =
        (format.walk)(source, &mut found).and_then(|()| match format.name == ARCHIVE.name {
            // An archive that was walked as such.
            true => Ok(()),
            false => polyglot::look(source, format.name, &mut found),
        });
    match walked.map_err(Stop::into_defect) {
        Ok(()) => {}
        Err(Ok(defect)) if format.companion && !found.has_high() => {
            let reason = format!("begins as {} does, but: {}", format.name, defect.message);
            return Ok(Judgement::NotOurs(reason));
        }
        Err(Ok(defect)) => found.push(defect),
        Err(Err(Stop::Unreadable(error))) => return Err(error),
        // What was found before still stands; without it nothing can be said.
        Err(Err(_)) if found.has_high() => {}
        Err(Err(Stop::NotOurs(_))) if known.is_none() => {
            let reason = "not of a format that this check knows";
            return Ok(Judgement::NotOurs(reason.to_owned()));
        }
        Err(Err(Stop::NotOurs(reason))) => return Ok(Judgement::NotOurs(reason)),
        Err(Err(
            Stop::Unsupported(reason)
            | Stop::Malformed {
                message: reason, ..
            },
        )) => {
            let reason = format!("{}: {reason}", format.name);
            return Ok(Judgement::Unsupported(reason));
        }
    }
    Ok(Judgement::Walked(format.name, found.into_defects()))
}

/// Judges one file of a model.
///
/// # Errors
/// Where the file can't be read or judged.
pub fn answer(file: &File) -> Result<Answer, Failure> {
    match judge(file) {
        Judgement::NotOurs(reason) => Ok(Answer::not_applicable(reason)),
        Judgement::Unsupported(reason) => Err(Failure::Unsupported(reason)),
        Judgement::Unreadable(error) => Err(error.in_file(file)),
        Judgement::Walked(format, defects) => {
            let mut observations = Observations::new();
            observations.fact("format", format);
            for defect in defects {
                observations.push(finding(file, defect));
            }
            Ok(observations.into())
        }
    }
}

fn finding(file: &File, defect: Defect) -> Finding {
    let mut location = Location::file(file);
    if let Some(member) = defect.member {
        location = location.member(member);
    }
    if let Some(offset) = defect.offset {
        location = location.offset(offset);
    }
    let finding = defect.rule.finding(location, defect.message);
    match defect.severity {
        Some(severity) => finding.severity(severity),
        None => finding,
    }
}
