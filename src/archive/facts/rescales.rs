//! Failures that only the record of a rescale tells: the adaptive scheduler waited for resources in vain (Flink 2.3 and later).

use super::super::members::Members;
use super::{ExceptionFacts, exceptions, time};

/// The newest exception that the states of rescales tell.
#[derive(Debug, Default)]
pub(super) struct RescaleFailure(Option<ExceptionFacts>);

impl RescaleFailure {
    /// Takes `/jobs/<id>/rescales/details/<uuid>`.
    pub(super) fn details(&mut self, json: &str) {
        let Some(rescale) = Members::parse(json) else { return };
        let ended = time(&rescale, "endTimestampInMillis");
        rescale.each_element("schedulerStates", |state| {
            let Some(state) = Members::parse(state.get()) else { return };
            let Some(trace) = state.text("stringifiedException").filter(|trace| !trace.trim().is_empty()) else { return };
            let at = time(&state, "leaveTimestampInMillis").or_else(|| time(&state, "enterTimestampInMillis")).or(ended);
            if self.0.as_ref().is_none_or(|known| known.at <= at) {
                self.0 = Some(exceptions::of_trace(trace, at));
            }
        });
    }

    /// The exception.
    pub(super) fn finish(self) -> Option<ExceptionFacts> {
        self.0
    }
}
