//! The raw arrays that joblib writes into the stream of a pickle, after the object that describes them.
//!
//! That a pickle may hold such arrays, and is therefore run both with and without passing over them, is known in
//! `scan.rs`: `pickle.load` does not pass over them.

use crate::heap::Dtype;
use crate::log;
use crate::machine::{Context, End, Machine};
use crate::opcode::{Step, broken};
use crate::stream::Stream;

/// What a `NumpyArrayWrapper` says of the array that follows it.
#[derive(Debug, Clone, Copy)]
pub struct Wrapper {
    /// Its items, where they can be told.
    pub dtype: Option<Dtype>,
    /// How many there are, where that can be told.
    pub count: Option<u64>,
    /// Whether a byte and so much padding come first.
    pub aligned: bool,
}

impl Machine<'_> {
    /// Passes over the array that follows, or runs it where its items are objects.
    pub(crate) fn skip_array(&mut self, wrapper: &Wrapper, stream: &mut Stream<'_>) -> Step<()> {
        let (Some(dtype), Some(count)) = (wrapper.dtype, wrapper.count) else {
            return broken("the array that follows can't be measured");
        };
        self.evidence.arrays += 1;
        if dtype.object {
            self.evidence.objects += 1;
            return self.run_objects(stream);
        }
        let Some(bytes) = dtype.size.and_then(|size| size.checked_mul(count)) else {
            return broken("the array that follows can't be measured");
        };
        if wrapper.aligned {
            let Some(padding) = stream.byte()? else {
                return broken("an array is cut");
            };
            stream.skip(u64::from(padding))?;
        }
        if stream.left().is_some_and(|left| bytes > left) || !stream.skip(bytes)? {
            return broken(format!("an array of {bytes} bytes goes past the end"));
        }
        Ok(())
    }

    /// An array of objects is a pickle of its own within the stream.
    fn run_objects(&mut self, stream: &mut Stream<'_>) -> Step<()> {
        // joblib's loader unpickles it with plain `pickle.load`, which can't hold another such array: no deeper level.
        let context = Context {
            joblib: false,
            opcodes: self.context.opcodes.saturating_sub(self.evidence.opcodes),
            ..self.context
        };
        let mut machine = Machine::new(context, self.log);
        let end = machine.run(stream);
        let inner = machine.evidence;
        let mut nested = std::mem::take(&mut machine.nested);
        self.nested.append(&mut nested);
        self.evidence.opcodes += inner.opcodes;
        self.evidence.calls += inner.calls;
        match end {
            End::Stop => Ok(()),
            End::Halt(halt, offset) => {
                self.log.add(
                    log::MALFORMED,
                    self.context.member,
                    offset,
                    "an array of objects is a broken pickle",
                );
                Err(Box::new(halt))
            }
        }
    }
}
