//! `clock`: the run's one fixed time.

use crate::engine::abi::v0_1::clock::{Datetime, Host};
use crate::engine::state::State;

impl Host for State {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        self.enter()?;
        Ok(Datetime { seconds: self.view.now, nanoseconds: 0 })
    }
}
