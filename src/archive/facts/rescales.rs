//! Failures that are archived only in the record of a rescale: the adaptive scheduler got no resources (Flink 2.3 and later).

use super::super::members::Members;
use super::{ExceptionFacts, exceptions, time};

/// The newest exception in the states of rescales.
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
                self.0 = Some(exceptions::from_stack_trace(trace, at));
            }
        });
    }

    /// The exception.
    pub(super) fn finish(self) -> Option<ExceptionFacts> {
        self.0
    }
}
